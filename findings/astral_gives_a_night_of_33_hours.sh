#!/bin/sh
# astral 3.2 (PyPI): daylight() and night() of a date in UTC, for airfields in California, New York and New Zealand.
# Guess: daylight ends after it begins, and the night that begins on 20 June is over some ten hours later.
# Seen: each end is looked for within the date in UTC, so that daylight ends before it begins wherever the sun sets after
# midnight UTC, and night runs from the evening before to the morning after: 33 hours in California. With tzinfo of the
# airfield both are as guessed.
# Exit 0 while this is so; 1 when it changed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install -q "astral==3.2" "tzdata==2025.2"
cat > hours.py <<'END'
from datetime import date
from zoneinfo import ZoneInfo

from astral import Observer
from astral.sun import daylight, night

FIELDS = (
    ("California", 34.0, -118.2, "America/Los_Angeles"),
    ("New York", 40.7, -74.0, "America/New_York"),
    ("New Zealand", -36.9, 174.8, "Pacific/Auckland"),
)


def hours(period):
    begins, ends = period
    return round((ends - begins).total_seconds() / 3600)


for name, latitude, longitude, zone in FIELDS:
    field, day = Observer(latitude, longitude), date(2026, 6, 20)
    there = {"tzinfo": ZoneInfo(zone)}
    print(
        f"{name}: UTC {hours(daylight(field, day))} of daylight, {hours(night(field, day))} of night;"
        f" there {hours(daylight(field, day, **there))} and {hours(night(field, day, **there))}"
    )
END
venv/bin/python hours.py > seen
cat seen
cat > wanted <<'END'
California: UTC -10 of daylight, 33 of night; there 14 and 9
New York: UTC -9 of daylight, 32 of night; there 15 and 8
New Zealand: UTC -14 of daylight, 37 of night; there 10 and 13
END
cmp -s seen wanted || { echo "changed: wanted as above in the script"; exit 1; }
echo "as stated: in UTC daylight ends before it begins, and a night lasts 33 hours"
