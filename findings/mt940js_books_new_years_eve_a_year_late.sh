#!/bin/sh
# mt940js 1.3.5 and mt940-js 1.0.0 (npm): two rows of a bank statement about the turn of the year. Field 61 has the value
# date with its year and the entry date, the day of booking, without one: 260102 1231 and 251231 0102.
# Guess: the year that brings the entry date near the value date: 31 December 2025, and 2 January 2026.
# Seen: both take the year of the value date: 31 December 2026, a year in the future, and 2 January 2025, before the
# statement begins. mt-940 5.1.1 (PyPI) reads 2025-12-31 and 2026-01-02.
# tslib stands beside them because mt940-js loads it and declares no dependency.
# Exit 0 while this is so; 1 when it changed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --ignore-scripts --no-audit --no-fund --no-package-lock "mt940js@1.3.5" "mt940-js@1.0.0" "tslib@2.8.1"
python3 -m venv venv
venv/bin/pip install -q "mt-940==5.1.1"
cat > statement.sta <<'END'
:20:STARTUMS
:25:DE12345678901234567890
:28C:1/1
:60F:C251230EUR1000,00
:61:2601021231C10,00NTRFNONREF//B1
:86:a lesson paid
:61:2512310102D3,00NMSCNONREF//B2
:86:a charge
:62F:C260102EUR1007,00
-
END
cat > dates.cjs <<'END'
const { readFileSync } = require("fs");
const { Parser } = require("mt940js");
const { read } = require("mt940-js");

const text = readFileSync("statement.sta", "utf8");
const [statement] = new Parser().parse(text);
console.log("mt940js", ...statement.transactions.map((row) => row.entryDate.toISOString().slice(0, 10)));
read(Buffer.from(text)).then(([other]) => console.log("mt940-js", ...other.transactions.map((row) => row.entryDate)));
END
cat > dates.py <<'END'
import mt940

print("mt-940", *[row.data["entry_date"] for row in mt940.parse("statement.sta")])
END
cat > wanted <<'END'
mt940js 2026-12-31 2025-01-02
mt940-js 2026-12-31 2025-01-02
mt-940 2025-12-31 2026-01-02
END
node dates.cjs > told
venv/bin/python dates.py >> told
cat told
cmp -s told wanted || { echo "changed: wanted as above in the script"; exit 1; }
echo "as stated: bookings about the turn of the year are a year off"
