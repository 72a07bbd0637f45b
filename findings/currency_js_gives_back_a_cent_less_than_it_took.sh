#!/bin/sh
# currency.js 2.0.4 (npm): halves of a cent that are charged, and the same amounts given back.
# Guess: what is given back is what was charged with the other sign, whichever way halves go.
# Seen: halves go up, towards plus infinity: 1.005 is 1.01 and -1.005 is -1.00; half of 0.05 is 0.03 and half of -0.05 is
# -0.02. A charge and its reversal, each computed, leave a cent.
# Exit 0 while this is so; 1 when it changed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --ignore-scripts --no-audit --no-fund --no-package-lock "currency.js@2.0.4"
cat > cents.cjs <<'END'
const currency = require("currency.js");

for (const amount of [1.005, 2.675, 10.125]) {
  const charged = currency(amount), back = currency(-amount);
  console.log(`${amount}: ${charged} charged, ${back} back, ${charged.add(back)} left`);
}
const share = currency(0.05).multiply(0.5), back = currency(-0.05).multiply(0.5);
console.log(`half of 0.05: ${share}, half of -0.05: ${back}, ${share.add(back)} left`);
END
cat > wanted <<'END'
1.005: 1.01 charged, -1.00 back, 0.01 left
2.675: 2.68 charged, -2.67 back, 0.01 left
10.125: 10.13 charged, -10.12 back, 0.01 left
half of 0.05: 0.03, half of -0.05: -0.02, 0.01 left
END
node cents.cjs > seen
cat seen
cmp -s seen wanted || { echo "changed: wanted as above in the script"; exit 1; }
echo "as stated: charge and reversal leave a cent"
