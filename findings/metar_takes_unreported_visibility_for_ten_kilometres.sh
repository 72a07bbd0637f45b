#!/bin/sh
# metar 2.0.2 (PyPI): reports of an automatic station whose visibility sensor says nothing, "////" in the report.
# Guess: visibility is missing, as in a report that leaves the group out, so that whoever checks weather minima sees it.
# Seen: 10000 metres, the best there is, and equal to what CAVOK reads as. Only a report without the group reads as
# missing.
# Exit 0 while this is so; 1 when it changed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install -q "metar==2.0.2"
cat > visibility.py <<'END'
from metar.Metar import Metar

for group in ("//// OVC010", "//// // //////", "CAVOK", "9999 OVC010", "0800 FG OVC001", "OVC010"):
    report = Metar(f"METAR EGLL 281850Z AUTO 24008KT {group} 10/08 Q1012")
    print(f"{group}: {report.visibility('M')}")
END
cat > wanted <<'END'
//// OVC010: 10000 meters
//// // //////: 10000 meters
CAVOK: 10000 meters
9999 OVC010: greater than 10000 meters
0800 FG OVC001: 800 meters
OVC010: missing
END
venv/bin/python visibility.py > seen
cat seen
cmp -s seen wanted || { echo "changed: wanted as above in the script"; exit 1; }
echo "as stated: what no sensor reported reads as ten kilometres"
