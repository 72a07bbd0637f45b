#!/bin/sh
# currency-formatter 1.5.9 (npm): 1234.50, formatted with format() in each currency that it knows and read again by its unformat()
# with the same currency.
# Guess: the amount that was written, since one table says symbol and separators to both.
# Seen: of 163 currencies 17 come back as something else, without an error, among them 1234.500 Kuwaiti dinars as 0, 1234.50
# dirhams of the Emirates and of Morocco as 0, as Peruvian soles ("S/. 1,234.50") as 0.1234, and 1234 dong as 1.234: a full stop
# in the symbol is taken for the decimal one. Pesos, yen and forints come back.
# Exit 0 while this is so; 1 when it changed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --ignore-scripts --no-audit --no-fund --no-package-lock "currency-formatter@1.5.9"
cat > again.mjs <<'END'
import money from "currency-formatter";

let other = 0;
for (const { code, decimalDigits } of money.currencies) {
  const amount = decimalDigits ? 1234.5 : 1234;
  const read = money.unformat(money.format(amount, { code }), { code });
  if (read !== amount) other++;
  if ("AED KWD MAD PEN VND USD EUR MXN HUF".includes(code)) console.log(`${code} ${amount}: read as ${read}`);
}
console.log(`${other} of ${money.currencies.length} come back as something else`);
END
cat > wanted <<'END'
AED 1234.5: read as 0
EUR 1234.5: read as 1234.5
HUF 1234.5: read as 1234.5
KWD 1234.5: read as 0
MAD 1234.5: read as 0
MXN 1234.5: read as 1234.5
PEN 1234.5: read as 0.1234
USD 1234.5: read as 1234.5
VND 1234: read as 1.234
17 of 163 come back as something else
END
node again.mjs > seen
cat seen
cmp -s seen wanted || { echo "changed: wanted as above in the script"; exit 1; }
echo "as stated: 1234.500 dinars are nothing"
