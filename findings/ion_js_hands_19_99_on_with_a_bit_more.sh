#!/bin/sh
# ion-js 5.2.1 (npm), Amazon's own: amounts as decimals of Ion, which keeps them exactly, handed on as JSON, as numberValue() and
# by arithmetic; and a whole number past 2^53.
# Guess: 19.99 is 19.99 in each, since the nearest double is written so; of the whole number the last digit may go.
# Seen: 19.990000000000002 in all three, as digits and power of ten are multiplied as doubles. Of the amounts from 0.01 to 1000.00
# it is so with 13929 of 100000, such as 0.35 and 0.70: JSON of them has digits of which nobody spoke, and is unequal to the same
# amount that came as JSON. Only decimalValue() and text are exact. 9007199254740993 is 9007199254740992 in JSON.
# Exit 0 while this is so; 1 when it changed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --ignore-scripts --no-audit --no-fund --no-package-lock "ion-js@5.2.1"
cat > amounts.mjs <<'END'
import ion from "ion-js";

const charge = ion.load("{amount: 19.99, half: 0.50, number: 9007199254740993}");
console.log(JSON.stringify(charge));
const amount = charge.get("amount");
console.log(`${amount.decimalValue()} ${amount.numberValue()} ${amount - 0}`);
let other = 0;
for (let cents = 1; cents <= 100000; cents++) {
  const text = (cents / 100).toFixed(2);
  if (ion.load(text).numberValue() !== Number(text)) other++;
}
console.log(`${other} of 100000 amounts are other numbers`);
END
cat > wanted <<'END'
{"amount":19.990000000000002,"half":0.5,"number":9007199254740992}
19.99 19.990000000000002 19.990000000000002
13929 of 100000 amounts are other numbers
END
node amounts.mjs > seen
cat seen
cmp -s seen wanted || { echo "changed: wanted as above in the script"; exit 1; }
echo "as stated: 19.99 leaves as 19.990000000000002"
