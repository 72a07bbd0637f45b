#!/bin/sh
# zero-decimal-currencies 1.6.0 (npm): toStripeUnit(), which says what to send to Stripe, of refunds as negative amounts, of
# yen with decimals from a conversion, and of Ugandan shillings.
# Guess: -19.99 EUR is "-1999"; 19.99 and 101.99 JPY are both rounded, to 20 and 102, as its README rounds 100.51 to 101; 5000
# UGX is "500000", since Stripe still takes UGX in hundredths (docs.stripe.com/currencies, special cases).
# Seen: -19.99 EUR is "0", as is each amount below a cent, while -1999 JPY is "-1999". 19.99 JPY is 19 and 101.99 JPY is
# 102: whether it rounds up hangs on the digits before the point. 5000 UGX is "5000", of which Stripe makes 50.
# Exit 0 while this is so; 1 when it changed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --ignore-scripts --no-audit --no-fund --no-package-lock "zero-decimal-currencies@1.6.0"
cat > units.js <<'END'
const { toStripeUnit } = require("zero-decimal-currencies");

for (const [amount, currency] of [[-19.99, "EUR"], [-1999, "JPY"], [19.99, "JPY"], [50.6, "JPY"], [100.51, "JPY"],
  [101.99, "JPY"], [5000, "UGX"]]) {
  console.log(amount, currency, "is", toStripeUnit(amount, currency));
}
END
cat > wanted <<'END'
-19.99 EUR is 0
-1999 JPY is -1999
19.99 JPY is 19
50.6 JPY is 50
100.51 JPY is 101
101.99 JPY is 102
5000 UGX is 5000
END
node units.js > seen
cat seen
cmp -s seen wanted || { echo "changed: wanted as above in the script"; exit 1; }
echo "as stated: a refund in euros is nothing, and yen are rounded by chance"
