#!/bin/sh
# price-parser 0.5.1 (PyPI): prices of fuel as American pumps and invoices show them, in tenths of a cent; and a refund.
# Guess: $6.049 is six dollars and a bit, $0.125 an eighth of a dollar, and -25.00 is negative.
# Seen: three digits behind the only separator make it one of thousands, even behind a zero: 6049 and 125; and the sign is
# dropped, so a refund is read as a charge. With decimal_separator="." the prices are as guessed, the refund is not.
# Exit 0 while this is so; 1 when it changed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install -q "price-parser==0.5.1"
cat > read.py <<'END'
from price_parser import Price

for text in ("$6.049", "$6.05", "$0.125", "-25.00"):
    told = Price.fromstring(text, decimal_separator=".").amount
    print(f"{text}: {Price.fromstring(text).amount}, told of the point {told}")
END
venv/bin/python read.py > seen
cat seen
cat > wanted <<'END'
$6.049: 6049, told of the point 6.049
$6.05: 6.05, told of the point 6.05
$0.125: 125, told of the point 0.125
-25.00: 25.00, told of the point 25.00
END
cmp -s seen wanted || { echo "changed: wanted as above in the script"; exit 1; }
echo "as stated: a gallon at \$6.049 costs 6049, and a refund of 25 is a charge"
