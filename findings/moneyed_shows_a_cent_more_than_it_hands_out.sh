#!/bin/sh
# py-moneyed 3.0 (PyPI): 1.3 hours at 99.99 EUR, 129.987 EUR, as text and as the whole cents that Stripe takes.
# Guess: both are rounded alike: EUR 129.99 and 12999.
# Seen: the text says 129.99, and get_amount_in_sub_unit() is 12998: it cuts off instead. The cents of a refund of
# -129.987 are cut towards nothing as well, -12998, so each is a cent off from what its document shows.
# Exit 0 while this is so; 1 when it changed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install -q "py-moneyed==3.0"
cat > cents.py <<'END'
from decimal import Decimal
from moneyed import Money
from moneyed.l10n import format_money

for rate in ("99.99", "-99.99"):
    sum_ = Money(rate, "EUR") * Decimal("1.3")
    print(sum_.amount, "shown", format_money(sum_, locale="en_IE"), "sent", sum_.get_amount_in_sub_unit())
END
cat > wanted <<'END'
129.987 shown €129.99 sent 12998
-129.987 shown -€129.99 sent -12998
END
PYTHONUTF8=1 venv/bin/python cents.py > told
cat told
cmp -s told wanted || { echo "changed: wanted as above in the script"; exit 1; }
echo "as stated: shown and sent differ by a cent"
