#!/bin/sh
# csv2ofx 0.34.2 (PyPI): a bank's CSV with two equal rows of one day, two fuellings of 60.00 at one pump, made OFX with
# its mapping for that bank's files, which have no column of ids.
# Guess: two FITIDs. OFX has this id so that programs know a row that they read before, and asks that it be unique.
# Seen: one FITID twice, a hash of date, amount and text, though both rows stand in one file. Whoever drops a row with a
# known FITID, as it is meant, books one of the two.
# Exit 0 while this is so; 1 when it changed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install -q "csv2ofx==0.34.2"
cat > card.csv <<'END'
Transaction Date,Posted Date,Card No.,Description,Category,Debit,Credit
2026-03-01,2026-03-02,1234,AVGAS SELF SERVE,Gas,60.00,
2026-03-01,2026-03-02,1234,AVGAS SELF SERVE,Gas,60.00,
2026-03-01,2026-03-02,1234,AVGAS SELF SERVE,Gas,61.00,
END
venv/bin/csv2ofx -m capitalone card.csv > card.ofx
grep -o "<TRNAMT>[-0-9.]*" card.ofx | cut -c 9- > amounts
grep -o "<FITID>[0-9a-f]*" card.ofx | cut -c 8- > ids
two=$(head -n 2 ids | sort -u | wc -l)
echo "rows $(paste -s -d ' ' amounts), ids of the first two $two, of all $(sort -u ids | wc -l)" > told
echo "rows -60.00 -60.00 -61.00, ids of the first two 1, of all 2" > wanted
cat told
cmp -s told wanted || { echo "changed: wanted $(cat wanted)"; exit 1; }
echo "as stated: two rows have one id"
