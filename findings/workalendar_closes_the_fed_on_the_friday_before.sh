#!/bin/sh
# workalendar 17.0.0 (PyPI): FederalReserveSystem, by whose days bank debits and wires settle in the United States.
# Guess: when a holiday falls on a Saturday, the Friday before is a day on which the Reserve Banks settle; their own
# schedule says that they are open then, and closed on the Monday after a holiday on a Sunday.
# Seen: the Fridays 2026-07-03, 2027-06-18, 2027-12-24 and 2027-12-31 are holidays; the Monday 2027-07-05 is one rightly.
# Exit 0 while this is so; 1 when it changed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install -q "workalendar==17.0.0"
cat > days.py <<'END'
from datetime import date

from workalendar.usa import FederalReserveSystem

for day in ("2026-07-03", "2027-06-18", "2027-07-05", "2027-12-24", "2027-12-31", "2027-12-30"):
    on = date.fromisoformat(day)
    print(f"{on:%A} {day}: {'open' if FederalReserveSystem().is_working_day(on) else 'closed'}")
END
cat > wanted <<'END'
Friday 2026-07-03: closed
Friday 2027-06-18: closed
Monday 2027-07-05: closed
Friday 2027-12-24: closed
Friday 2027-12-31: closed
Thursday 2027-12-30: open
END
venv/bin/python days.py > seen
cat seen
cmp -s seen wanted || { echo "changed: wanted as above in the script"; exit 1; }
echo "as stated: four Fridays on which the Fed settles are holidays"
