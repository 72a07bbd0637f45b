#!/bin/sh
# bankstatementparser 0.0.29 (PyPI), beside bai2 0.15.0 (PyPI): a BAI2 statement whose records 16 say when the money is free, as
# American banks send it: V with a date, two wires with S and the amounts of today, tomorrow and later, a cheque without.
# Guess: both read amounts, references and texts alike, as what follows a type of funds is fixed: V has a date and a time, S has
# three amounts.
# Seen: bai2 does. bankstatementparser takes the fields behind a type of funds for the references: each wire's identifier is
# 50000, what of it is free today, so that two wires are one to whoever drops repetitions by it, and their text is 25000; that of
# V is 260302, its value date, while its value date is said to be the statement's. None of it is an error.
# Exit 0 while this is so; 1 when it changed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install -q "bankstatementparser==0.0.29" "bai2==0.15.0"
cat > day.bai2 <<'END'
01,122099999,123456789,260228,1200,1,80,1,2/
02,031001234,122099999,1,260228,1200,USD,2/
03,0975312468,USD,010,500000,,/
16,165,150000,V,260302,,DD1620,C4,DEALER PAYMENTS
16,195,100000,S,50000,25000,25000,B1,C1,WIRE IN
16,195,100000,S,50000,25000,25000,B2,C2,WIRE IN
16,475,50000,,B3,C3,CHECK PAID
49,900000,6/
98,900000,1,8/
99,900000,1,10/
END
cat > rows.py <<'END'
from bai2 import bai2
from bankstatementparser import Bai2Parser

for row in bai2.parse_from_file(open("day.bai2")).children[0].children[0].children:
    free = (row.availability or {}).get("date") if row.funds_type else None
    print("bai2", row.amount, "bank reference", row.bank_reference, "text", row.text, "value date", free)
for row in Bai2Parser("day.bai2").parse().to_dict("records"):
    print("bankstatementparser", row["amount"], "identifier", row["transaction_id"], "text", row["description"],
          "value date", row["ValDt"])
END
cat > wanted <<'END'
bai2 150000 bank reference DD1620 text DEALER PAYMENTS value date 2026-03-02
bai2 100000 bank reference B1 text WIRE IN value date None
bai2 100000 bank reference B2 text WIRE IN value date None
bai2 50000 bank reference B3 text CHECK PAID value date None
bankstatementparser 1500 identifier 260302 text DD1620 value date 2026-02-28
bankstatementparser 1000 identifier 50000 text 25000 value date 2026-02-28
bankstatementparser 1000 identifier 50000 text 25000 value date 2026-02-28
bankstatementparser -500 identifier B3 text CHECK PAID value date 2026-02-28
END
venv/bin/python -W ignore rows.py > seen
cat seen
cmp -s seen wanted || { echo "changed: wanted as above in the script"; exit 1; }
echo "as stated: two wires have one identifier, an amount"
