#!/bin/sh
# avwx-engine 1.9.10 (PyPI): visibility of "M1/4SM", less than a quarter of a mile, the least an American station reports.
# Guess: a value of 0.25 or less, and flight rules LIFR, which begin below one mile.
# Seen: no visibility at all, and IFR, which is what a report without visibility gets; fog of exactly 1/4 mile is LIFR, so
# that thicker fog reads as better weather.
# Exit 0 while this is so; 1 when it changed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install -q "avwx-engine==1.9.10"
cat > rules.py <<'END'
import avwx

for visibility in ("1SM", "1/2SM", "1/4SM", "1/8SM", "M1/4SM"):
    data = avwx.Metar.from_report(f"KACK 281851Z 24008KT {visibility} FG CLR 10/10 A2992").data
    print(f"{visibility}: {data.visibility and data.visibility.value} {data.flight_rules}")
END
cat > wanted <<'END'
1SM: 1 IFR
1/2SM: 0.5 LIFR
1/4SM: 0.25 LIFR
1/8SM: 0.125 LIFR
M1/4SM: None IFR
END
venv/bin/python rules.py > seen
cat seen
cmp -s seen wanted || { echo "changed: wanted as above in the script"; exit 1; }
echo "as stated: thicker fog reads as better weather"
