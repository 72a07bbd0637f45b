#!/bin/sh
# icalendar 7.3.2 (PyPI): two bookings over the night of 29 March 2026, when clocks in Berlin go
# from 2:00 to 3:00: one from 1:30 to 3:30, one of DURATION:PT24H from the evening before at 22:00.
# Guess: the first lasts 1 h, and the second ends at 23:00, 24 hours being exact (RFC 5545 3.3.6; P1D is the day).
# Seen: event.duration of the first is 2 h, though 1 h passes; the second ends at 22:00, after 23 h, just as P1D does.
# start and end carry the right zones, so the difference of both in UTC is the time that passed.
# Exit 0 while this is so; 1 when it changed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install -q "icalendar==7.3.2"
cat > hours.py <<'END'
from datetime import UTC
from icalendar import Calendar

LENGTHS = ["DTEND;TZID=Europe/Berlin:20260329T033000", "DURATION:PT24H", "DURATION:P1D"]
STARTS = ["20260329T013000", "20260328T220000", "20260328T220000"]
lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:x"]
for number, (start, length) in enumerate(zip(STARTS, LENGTHS)):
    lines += ["BEGIN:VEVENT", f"UID:{number}", "DTSTAMP:20260301T000000Z"]
    lines += [f"DTSTART;TZID=Europe/Berlin:{start}", length, "END:VEVENT"]
lines += ["END:VCALENDAR", ""]
for event in Calendar.from_ical("\r\n".join(lines)).walk("VEVENT"):
    passed = event.end.astimezone(UTC) - event.start.astimezone(UTC)
    print(f"{event.start} to {event.end}: duration {event.duration}, passed {passed}")
END
cat > wanted <<'END'
2026-03-29 01:30:00+01:00 to 2026-03-29 03:30:00+02:00: duration 2:00:00, passed 1:00:00
2026-03-28 22:00:00+01:00 to 2026-03-29 22:00:00+02:00: duration 1 day, 0:00:00, passed 23:00:00
2026-03-28 22:00:00+01:00 to 2026-03-29 22:00:00+02:00: duration 1 day, 0:00:00, passed 23:00:00
END
venv/bin/python hours.py > told
cat told
cmp -s told wanted || { echo "changed: wanted as above in the script"; exit 1; }
echo "as stated: a booking over the change of clocks is billed an hour that was not"
