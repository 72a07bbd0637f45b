#!/bin/sh
# Babel 2.19.0 (PyPI): 1,233.50 and 1,234.50 Colombian pesos and forints on a statement, with a pattern of two decimals.
# Both currencies have two decimals in ISO 4217, and Stripe takes both in hundredths.
# Guess: format_currency shows the two decimals that the pattern asks for.
# Seen: Babel rounds to the digits that CLDR keeps for daily use: none for COP and HUF, and half to even, so
# that both amounts are shown as 1,234; get_currency_precision says 0 too. With currency_digits=False the pattern holds.
# Exit 0 while this is so; 1 when it changed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install -q "babel==2.19.0"
cat > shown.py <<'END'
from decimal import Decimal

from babel.numbers import format_currency, get_currency_precision

for code in ("COP", "HUF"):
    digits = get_currency_precision(code)
    for amount in ("1233.50", "1234.50"):
        by_default = format_currency(Decimal(amount), code, "¤¤ #,##0.00", locale="en_US")
        in_full = format_currency(Decimal(amount), code, "¤¤ #,##0.00", locale="en_US", currency_digits=False)
        print(code, digits, amount, "|", by_default.replace("\xa0", " "), "|", in_full.replace("\xa0", " "))
END
cat > wanted <<'END'
COP 0 1233.50 | COP 1,234 | COP 1,233.50
COP 0 1234.50 | COP 1,234 | COP 1,234.50
HUF 0 1233.50 | HUF 1,234 | HUF 1,233.50
HUF 0 1234.50 | HUF 1,234 | HUF 1,234.50
END
venv/bin/python shown.py > told
cat told
cmp -s told wanted || { echo "changed: wanted as above in the script"; exit 1; }
echo "as stated: two amounts a peso apart are shown as one"
