#!/bin/sh
# pw-swift-core SRU2025-10.3.19 (Prowide, Java): field 61 of MT940 statements of 2023 and 2024. It has the value date with its
# year and the entry date, the day of booking, without one: 231229 1229, 240102 1231.
# Guess: getEntryDateAsCalendar() takes the year that brings it near the value date, or at worst the value date's.
# Seen: the year in which the program runs, though the value date beside it is read rightly: old statements are booked this
# year, a statement of December that is read in January is booked next December, and the same file read a year later says
# something else. An entry date of 29 February is null unless this year is a leap year.
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
      <groupId>com.prowidesoftware</groupId><artifactId>pw-swift-core</artifactId><version>SRU2025-10.3.19</version>
    </dependency>
  </dependencies>
</project>
END
mvn -q -B dependency:copy-dependencies -DoutputDirectory=lib > maven.log 2>&1 || { cat maven.log; exit 2; }
cat > Booked.java <<'END'
import com.prowidesoftware.swift.model.field.Field61;
import java.time.*;
import java.util.Calendar;
import java.util.logging.LogManager;

public class Booked {
  public static void main(String[] given) {
    LogManager.getLogManager().reset();
    int now = Year.now().getValue();
    for (String row : new String[] {"2312291229C10,00NTRFNONREF", "2401021231C10,00NTRFNONREF"}) {
      Field61 field = new Field61(row);
      LocalDate entry = day(field.getEntryDateAsCalendar());
      System.out.println("value date " + day(field.getValueDateAsCalendar()) + ", entry date "
          + (entry.getYear() == now ? "this year" : entry.getYear()) + entry.toString().substring(4));
    }
    boolean read = new Field61("2402290229C10,00NTRFNONREF").getEntryDateAsCalendar() != null;
    System.out.println("29 February 2024: " + (read == Year.isLeap(now) ? "read in leap years only" : read));
  }

  static LocalDate day(Calendar moment) {
    return LocalDate.ofInstant(moment.toInstant(), ZoneId.systemDefault());
  }
}
END
cat > wanted <<'END'
value date 2023-12-29, entry date this year-12-29
value date 2024-01-02, entry date this year-12-31
29 February 2024: read in leap years only
END
java -cp "lib/*" Booked.java > seen
cat seen
cmp -s seen wanted || { echo "changed: wanted as above in the script"; exit 1; }
echo "as stated: entries of 2023 and 2024 are booked this year"
