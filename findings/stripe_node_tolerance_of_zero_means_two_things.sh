#!/bin/sh
# stripe-node 23.1.0: the tolerance of a webhook's age, given as 0, of one client, for the two kinds of event.
# The message is signed with the right secret an hour ago, as in a queue that is worked off late.
# Guess: 0 means the same for both (its source: "Use 0 to skip timestamp tolerance verification").
# Seen: constructEvent(…, 0) takes the message; parseEventNotification(…, 0) refuses it, because there 0 is no
# value and 300 seconds are the default. A late thin event needs a large number instead.
# Exit 0 while this is so; 1 when it changed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{"private": true}' > package.json
npm install --silent --ignore-scripts --no-audit --no-fund --no-package-lock stripe@23.1.0
cat > late.cjs <<'END'
const Stripe = require("stripe");
const stripe = new Stripe("sk_test_x");
const secret = "whsec_x";
const anHourAgo = Math.floor(Date.now() / 1000) - 3600;
function tried(name, body, verify) {
  const payload = JSON.stringify(body);
  const header = stripe.webhooks.generateTestHeaderString({ payload, secret, timestamp: anHourAgo });
  try {
    console.log(`${name}: takes ${verify(payload, header).id}`);
  } catch (error) {
    console.log(`${name}: ${error.message}`);
  }
}
const snapshot = { id: "evt_1", object: "event", type: "charge.succeeded" };
const thin = { id: "evt_2", object: "v2.core.event", type: "v2.core.account.created" };
tried("constructEvent, 0", snapshot, (body, header) => stripe.webhooks.constructEvent(body, header, secret, 0));
tried("parseEventNotification, 0", thin, (body, header) => stripe.parseEventNotification(body, header, secret, 0));
tried("parseEventNotification, 9999", thin, (body, header) => stripe.parseEventNotification(body, header, secret, 9999));
END
cat > wanted <<'END'
constructEvent, 0: takes evt_1
parseEventNotification, 0: Timestamp outside the tolerance zone
parseEventNotification, 9999: takes evt_2
END
node late.cjs > told
cat told
cmp -s told wanted || { echo "changed: wanted as above in the script"; exit 1; }
echo "as stated: one argument, two meanings"
