#!/bin/sh
# icao-nnumber-converter-us 0.1.0 (PyPI): the tail number of an American aircraft from its 24-bit address, as a receiver of
# ADS-B hears it. Civil tails have the addresses A00001 to ADF7C7, one each; those above, up to AFFFFF, are the armed forces'.
# Guess: an address of the armed forces has no tail number: None, as for one of another country.
# Seen: each of them gets a name that looks like a tail: ADF7C8 is N10, AFFFFF is N113XD, though N10 is A0025A and
# N113XD is A03969. Whoever bills flights by tail bills the owner of N10 for what flew past. n_to_icao() is right.
# Exit 0 while this is so; 1 when it changed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install -q "icao-nnumber-converter-us==0.1.0"
cat > tails.py <<'END'
from icao_nnumber_converter_us import icao_to_n, n_to_icao

for address in "a0025a", "adf7c7", "4ca123", "adf7c8", "afffff":
    tail = icao_to_n(address)
    print(address, tail, tail and n_to_icao(tail))
END
venv/bin/python tails.py > seen
cat seen
cat > wanted <<'END'
a0025a N10 a0025a
adf7c7 N99999 adf7c7
4ca123 None None
adf7c8 N10 a0025a
afffff N113XD a03969
END
cmp -s seen wanted || { echo "changed: wanted as above in the script"; exit 1; }
echo "as stated: the first military address reads as a civil tail"
