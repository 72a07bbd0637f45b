#!/bin/sh
# cloudevents 10.0.0 (npm), the CloudEvents project's own: events in the JSON format, as HTTP's structured mode carries them,
# whose data are a number or a truth value, which the format allows like any other JSON value.
# Guess: data are read as they were written: the balance 0 is 0, as 12 is 12.
# Seen: 0, false and "" are read as no data at all, undefined, from what HTTP.structured() of the same package wrote with them;
# 12 and true are read. In the binary mode it is the other way round: 0 and false pass, and 12 and true are refused.
# Exit 0 while this is so; 1 when it changed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --ignore-scripts --no-audit --no-fund --no-package-lock "cloudevents@10.0.0"
cat > balances.mjs <<'END'
import { CloudEvent, HTTP } from "cloudevents";

function read(message) {
  try {
    return HTTP.toEvent(message).data;
  } catch {
    return "refused";
  }
}

for (const data of [12, 0, true, false]) {
  const event = new CloudEvent({ id: "1", source: "/wallets", type: "wallet.balance", data });
  const structured = HTTP.structured(event);
  const written = JSON.parse(structured.body).data;
  console.log(`${data}: written ${written}, read ${read(structured)}; binary: ${read(HTTP.binary(event))}`);
}
END
cat > wanted <<'END'
12: written 12, read 12; binary: refused
0: written 0, read undefined; binary: 0
true: written true, read true; binary: refused
false: written false, read undefined; binary: false
END
node balances.mjs > seen
cat seen
cmp -s seen wanted || { echo "changed: wanted as above in the script"; exit 1; }
echo "as stated: a balance of nothing is no balance"
