#!/bin/sh
# flydenity 0.1.6 (PyPI): the state of an aircraft from its registration, by which a school guesses the country of its keeper.
# Guess: HB-PAB is Swiss, LX-AIR of Luxembourg, B-LAA of Hong Kong; N123AB is American, with strict=True as well.
# Seen: all that begins with HB is Liechtenstein's, whose few aircraft stand in the Swiss register, though the same package knows
# the 24-bit addresses of that register as Swiss. Aeroplanes of Luxembourg have no state, and those of Hong Kong are China's.
# strict=True, which asks for the hyphen, knows no American aircraft, as they have none.
# Exit 0 while this is so; 1 when it changed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install -q "flydenity==0.1.6"
cat > states.py <<'END'
from flydenity import Parser

parser = Parser()


def state(found):
    return found["nation"] if found else None


for registration in "D-EABC", "HB-PAB", "LX-AIR", "B-LAA", "N123AB":
    print(f"{registration}: {state(parser.parse(registration))}, strict {state(parser.parse(registration, strict=True))}")
print("4B1234:", state(parser.parse("4B1234", icao24bit=True)))
END
cat > wanted <<'END'
D-EABC: Germany, strict Germany
HB-PAB: Liechtenstein, strict Liechtenstein
LX-AIR: None, strict None
B-LAA: China, strict China
N123AB: United States, strict None
4B1234: Switzerland
END
venv/bin/python -W ignore states.py > seen
cat seen
cmp -s seen wanted || { echo "changed: wanted as above in the script"; exit 1; }
echo "as stated: a Swiss aeroplane is Liechtenstein's"
