#!/bin/sh
# beancount 3.2.3 (PyPI): a ledger with 100.01 EUR in the bank, and assertions that the bank says less or more.
# Guess: "balance Assets:Bank 100.00 EUR" fails, since the ledger has a cent more; its two decimals ask for cents.
# Seen: it passes. An assertion may be off by twice the half of its last digit, which is a whole cent here; 99.99 EUR
# fails, and so does 100 EUR, whose lack of decimals allows nothing. "100.000 EUR" is the strict way to say it.
# Exit 0 while this is so; 1 when it changed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install -q "beancount==3.2.3"
cat > balances.py <<'END'
from beancount import loader

LEDGER = """
2026-01-01 open Assets:Bank
2026-01-01 open Income:Lessons
2026-01-02 * "A lesson"
  Assets:Bank      100.01 EUR
  Income:Lessons  -100.01 EUR
2026-01-03 balance Assets:Bank  {} EUR
"""
for said in ("100.02", "100.01", "100.00", "99.99", "100", "100.000"):
    _, errors, _ = loader.load_string(LEDGER.format(said))
    print(f"{said}: {'fails' if errors else 'passes'}")
END
cat > wanted <<'END'
100.02: passes
100.01: passes
100.00: passes
99.99: fails
100: fails
100.000: fails
END
venv/bin/python balances.py > told
cat told
cmp -s told wanted || { echo "changed: wanted as above in the script"; exit 1; }
echo "as stated: a bank account that is a cent off is in balance"
