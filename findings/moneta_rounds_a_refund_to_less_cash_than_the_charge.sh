#!/bin/sh
# moneta 1.4.4 (Java, the reference implementation of JSR 354): Monetary.getRounding() with cashRounding for CHF, to the
# five centimes that are paid in cash, of charges and of their refunds.
# Guess: a refund is rounded as its charge was, or halves and directions differ at most where two fives are equally near:
# 1.03 is 1.05 and -1.03 is -1.05, as each is nearest.
# Seen: what is below zero is rounded towards zero, whatever is nearest: -1.03 and -1.04 are -1.00, -1.09 is -1.05. Of each ten
# centimes, four amounts give back five centimes less than they took.
# Exit 0 while this is so; 1 when it changed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat > pom.xml <<'END'
<project>
  <modelVersion>4.0.0</modelVersion>
  <groupId>finding</groupId><artifactId>finding</artifactId><version>1</version>
  <dependencies>
    <dependency>
      <groupId>org.javamoney.moneta</groupId><artifactId>moneta-core</artifactId><version>1.4.4</version>
    </dependency>
  </dependencies>
</project>
END
mvn -q -B dependency:copy-dependencies -DoutputDirectory=lib > maven.log 2>&1 || { cat maven.log; exit 2; }
cat > Cash.java <<'END'
import java.math.BigDecimal;
import java.util.logging.LogManager;
import javax.money.*;
import org.javamoney.moneta.Money;

public class Cash {
  public static void main(String[] given) {
    LogManager.getLogManager().reset();
    MonetaryRounding cash = Monetary.getRounding(RoundingQueryBuilder.of()
        .setCurrency(Monetary.getCurrency("CHF")).set("cashRounding", true).build());
    for (int centimes = 100; centimes < 110; centimes++) {
      Money charge = Money.of(BigDecimal.valueOf(centimes, 2), "CHF");
      System.out.printf("%s: %s, refund %s%n", charge.getNumberStripped().setScale(2), paid(charge.with(cash)),
          paid(charge.negate().with(cash)));
    }
  }

  static BigDecimal paid(MonetaryAmount amount) {
    return amount.getNumber().numberValue(BigDecimal.class).setScale(2);
  }
}
END
cat > wanted <<'END'
1.00: 1.00, refund -1.00
1.01: 1.00, refund -1.00
1.02: 1.00, refund -1.00
1.03: 1.05, refund -1.00
1.04: 1.05, refund -1.00
1.05: 1.05, refund -1.05
1.06: 1.05, refund -1.05
1.07: 1.05, refund -1.05
1.08: 1.10, refund -1.05
1.09: 1.10, refund -1.05
END
java -cp "lib/*" Cash.java > seen
cat seen
cmp -s seen wanted || { echo "changed: wanted as above in the script"; exit 1; }
echo "as stated: a refund in cash is five centimes short of its charge"
