#!/bin/sh
# ical.js 2.2.1 (npm), the calendar library of Thunderbird, beside python-dateutil 2.9.0 (PyPI): days of closing and of payout as
# rules of RFC 5545, begun on a day that each rule has.
# Guess: both give the same days: quarters end on 30 June and 30 September in each year; BYSETPOS=-1 leaves one day of each
# period, the last weekday of the year, the second of two paydays.
# Seen: FREQ=YEARLY with the last days of four months is right in its first year, and from the second on June ends on 1 July and
# September on 1 October. BYSETPOS is passed over where a year, a week or days of the month are chosen from: each weekday of
# the year is its last one, and both paydays are the second. None of it is an error.
# Exit 0 while this is so; 1 when it changed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --ignore-scripts --no-audit --no-fund --no-package-lock "ical.js@2.2.1"
python3 -m venv venv
venv/bin/pip install -q "python-dateutil==2.9.0.post0"
cat > rules <<'END'
2026-03-31 FREQ=YEARLY;BYMONTH=3,6,9,12;BYMONTHDAY=-1;COUNT=8
2026-12-31 FREQ=YEARLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1;COUNT=3
2026-01-15 FREQ=MONTHLY;BYMONTHDAY=1,15;BYSETPOS=-1;COUNT=4
2026-03-13 FREQ=WEEKLY;BYDAY=MO,WE,FR;BYSETPOS=-1;COUNT=4
END
cat > days.mjs <<'END'
import { readFileSync } from "node:fs";
import ICAL from "ical.js";

for (const line of readFileSync("rules", "utf8").trim().split("\n")) {
  const [start, rule] = line.split(" ");
  const days = ICAL.Recur.fromString(rule).iterator(ICAL.Time.fromString(`${start}T09:00:00`));
  const found = [];
  for (let day = days.next(); day; day = days.next()) found.push(day.toString().slice(0, 10));
  console.log(`ical.js ${found.join(" ")}`);
}
END
cat > days.py <<'END'
from datetime import datetime

from dateutil.rrule import rrulestr

for line in open("rules"):
    start, rule = line.split()
    print("dateutil", *(f"{day:%F}" for day in rrulestr(rule, dtstart=datetime.fromisoformat(f"{start}T09:00:00"))))
END
cat > wanted <<'END'
ical.js 2026-03-31 2026-06-30 2026-09-30 2026-12-31 2027-03-31 2027-07-01 2027-10-01 2027-12-31
ical.js 2026-12-31 2027-01-01 2027-01-04
ical.js 2026-01-15 2026-02-01 2026-02-15 2026-03-01
ical.js 2026-03-13 2026-03-16 2026-03-18 2026-03-20
dateutil 2026-03-31 2026-06-30 2026-09-30 2026-12-31 2027-03-31 2027-06-30 2027-09-30 2027-12-31
dateutil 2026-12-31 2027-12-31 2028-12-29
dateutil 2026-01-15 2026-02-15 2026-03-15 2026-04-15
dateutil 2026-03-13 2026-03-20 2026-03-27 2026-04-03
END
{ node days.mjs; venv/bin/python days.py; } > seen
cat seen
cmp -s seen wanted || { echo "changed: wanted as above in the script"; exit 1; }
echo "as stated: from the second year on, June ends in July"
