#!/bin/sh
# num2words 0.5.14 (PyPI): the amount of a cheque in words, to='currency'.
# Guess: 100 is a hundred dollars, however Python holds it; what is below a cent is refused, or rounded in one way.
# Seen: the integer 100 is one dollar: an int is taken as cents, while 100.0 and Decimal("100") are a hundred dollars.
# 2.675 loses its half cent and 2.685 gains one: it is rounded as the float falls.
# Exit 0 while this is so; 1 when it changed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install -q "num2words==0.5.14"
cat > say.py <<'END'
from decimal import Decimal

from num2words import num2words

for amount in (100, 100.0, Decimal("100"), Decimal("100.00"), 2.675, 2.685):
    print(repr(amount), num2words(amount, to="currency", currency="USD"), sep=": ")
END
cat > wanted <<'END'
100: one dollar, zero cents
100.0: one hundred dollars, zero cents
Decimal('100'): one hundred dollars, zero cents
Decimal('100.00'): one hundred dollars, zero cents
2.675: two dollars, sixty-seven cents
2.685: two dollars, sixty-nine cents
END
venv/bin/python say.py > told
cat told
cmp -s told wanted || { echo "changed: wanted as above in the script"; exit 1; }
echo "as stated: the integer 100 is a dollar, and half cents go either way"
