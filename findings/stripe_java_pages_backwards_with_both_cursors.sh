#!/bin/sh
# stripe-java 33.3.0: walking through a list from an older object to the newest, with ending_before and
# autoPagingIterable. The list of our own server has five rows, two to a page, as Stripe pages them.
# Guess, from what stripe-python, -node and -go do: the rows oldest first, each page asked for with the newest id
# seen so far as ending_before: txn_2, txn_3, txn_4, txn_5.
# Seen: the first page is walked newest first (txn_3, txn_2), then one is asked for with ending_before as it was AND
# starting_after, which Stripe refuses ("Received both …", as stripe-python's issue 585 quotes it, from before that
# client was corrected in 2019). The walk ends with a RuntimeException, and the newest rows never come.
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
    <dependency><groupId>com.stripe</groupId><artifactId>stripe-java</artifactId><version>33.3.0</version></dependency>
  </dependencies>
</project>
END
mvn -q -B dependency:copy-dependencies -DoutputDirectory=lib > maven.log 2>&1 || { cat maven.log; exit 2; }
cat > Backwards.java <<'END'
import com.stripe.StripeClient;
import com.stripe.model.BalanceTransaction;
import com.stripe.param.BalanceTransactionListParams;
import com.sun.net.httpserver.HttpServer;
import java.net.InetSocketAddress;
import java.util.*;

public class Backwards {
  public static void main(String[] given) throws Exception {
    HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", 0), 0);
    server.createContext("/", exchange -> {
      Map<String, String> asked = new TreeMap<>();
      for (String part : exchange.getRequestURI().getQuery().split("&")) {
        asked.put(part.split("=")[0], part.split("=")[1]);
      }
      System.out.println("asked for " + asked);
      boolean both = asked.containsKey("starting_after") && asked.containsKey("ending_before");
      byte[] page = (both ? REFUSED : page(number(asked.get("ending_before")) + 1)).getBytes();
      exchange.sendResponseHeaders(both ? 400 : 200, page.length);
      exchange.getResponseBody().write(page);
      exchange.close();
    });
    server.start();
    String url = "http://127.0.0.1:" + server.getAddress().getPort();
    StripeClient stripe = StripeClient.builder().setApiKey("sk_test_x").setApiBase(url).build();
    BalanceTransactionListParams params =
        BalanceTransactionListParams.builder().setEndingBefore("txn_1").setLimit(2L).build();
    List<String> found = new ArrayList<>();
    try {
      for (BalanceTransaction row : stripe.v1().balanceTransactions().list(params).autoPagingIterable()) {
        found.add(row.getId());
      }
      System.out.println("rows " + found);
    } catch (Exception error) {
      System.out.println("rows " + found + ", then " + error.getClass().getSimpleName());
    }
    System.exit(0);
  }

  static final String REFUSED =
      "{\"error\":{\"type\":\"invalid_request_error\",\"message\":\"Received both cursors.\"}}";

  /** Two rows from `from` on, newest first; there are five. */
  static String page(int from) {
    int to = Math.min(from + 1, 5);
    StringJoiner rows = new StringJoiner(",");
    for (int n = to; n >= from; n--) rows.add("{\"id\":\"txn_" + n + "\",\"object\":\"balance_transaction\"}");
    return "{\"object\":\"list\",\"url\":\"/v1/balance_transactions\",\"has_more\":" + (to < 5)
        + ",\"data\":[" + rows + "]}";
  }

  static int number(String id) {
    return Integer.parseInt(id.substring(4));
  }
}
END
cat > wanted <<'END'
asked for {ending_before=txn_1, limit=2}
asked for {ending_before=txn_1, limit=2, starting_after=txn_2}
rows [txn_3, txn_2], then RuntimeException
END
java -cp "lib/*" Backwards.java > told
cat told
cmp -s told wanted || { echo "changed: wanted as above in the script"; exit 1; }
echo "as stated: newest first, then both cursors at once, and the newest two rows are missed"
