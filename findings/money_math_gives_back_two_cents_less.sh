#!/bin/sh
# money-math 2.6.3 (npm): amounts as texts like "-19.99", multiplied, divided and taken per cent of, once above and once below
# zero, as a charge and its refund.
# Guess: a refund is its charge with the other sign, or a cent off at most where a half of a cent is rounded.
# Seen: below zero the results are moved up by as much as two cents, also where nothing is half: 1.3 hours at 99.99 are 129.99,
# and at -99.99 they are -129.97, of an exact -129.987; two thirds are 0.67 and -0.65. 19 % of each amount from -0.01 to -10.00
# is a cent or two off that of its charge in 990 cases of 1000, and 0.25 % of -1.00 is a cent above zero. Whole results are right.
# Exit 0 while this is so; 1 when it changed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --ignore-scripts --no-audit --no-fund --no-package-lock "money-math@2.6.3"
cat > refunds.mjs <<'END'
import money from "money-math";

console.log("99.99 * 1.30:", money.mul("99.99", "1.30"), "and", money.mul("-99.99", "1.30"));
console.log("19.99 * 0.50:", money.mul("19.99", "0.50"), "and", money.mul("-19.99", "0.50"));
console.log("2.00 / 3.00:", money.div("2.00", "3.00"), "and", money.div("-2.00", "3.00"));
console.log("0.25 % of 1.00:", money.percent("1.00", "0.25"), "and", money.percent("-1.00", "0.25"));
console.log("10.00 * 0.10:", money.mul("10.00", "0.10"), "and", money.mul("-10.00", "0.10"));
const off = [0, 0, 0];
for (let cents = 1; cents <= 1000; cents++) {
  const amount = (cents / 100).toFixed(2);
  off[Math.round(100 * Number(money.percent(amount, "19.00")) + 100 * Number(money.percent(`-${amount}`, "19.00")))]++;
}
console.log(`19 % of 1000 amounts: ${off[0]} refunds are their charges, ${off[1]} a cent off, ${off[2]} two`);
END
cat > wanted <<'END'
99.99 * 1.30: 129.99 and -129.97
19.99 * 0.50: 10.00 and -9.98
2.00 / 3.00: 0.67 and -0.65
0.25 % of 1.00: 0.00 and 0.01
10.00 * 0.10: 1.00 and -1.00
19 % of 1000 amounts: 10 refunds are their charges, 980 a cent off, 10 two
END
node refunds.mjs > seen
cat seen
cmp -s seen wanted || { echo "changed: wanted as above in the script"; exit 1; }
echo "as stated: of 129.987 given back, two cents stay"
