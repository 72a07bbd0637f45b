#!/bin/sh
# ics 0.7.3 (PyPI), with recurring-ical-events 3.8.2 and icalendar 6.3.2 to read the result: a weekly lesson at 9:00 in
# New York from 19 October 2026 (DTSTART with TZID, RRULE), read and written again, as who adds an event to a calendar does.
# Guess: what is read is what is written: four lessons at 9:00, of which two are after the clocks go back; a floating time,
# which names no zone, still names none.
# Seen: DTSTART becomes 13:00 UTC and the rule stays, so that the lessons from 2 November on are at 8:00 in New York; a floating
# 9:00 becomes 9:00 UTC. The timeline has the first lesson alone, without a word about the rule. A calendar that did not
# name its scale is written with one that does not exist, GEORGIAN, which recurring-ical-events refuses.
# Exit 0 while this is so; 1 when it changed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install -q "ics==0.7.3" "recurring-ical-events==3.8.2" "icalendar==6.3.2" tzdata
cat > lessons.py <<'END'
from zoneinfo import ZoneInfo

import icalendar
import recurring_ical_events
from ics import Calendar

LESSONS = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//finding//
CALSCALE:GREGORIAN
BEGIN:VEVENT
UID:lesson
DTSTAMP:20261001T000000Z
DTSTART;TZID=America/New_York:20261019T090000
DTEND;TZID=America/New_York:20261019T103000
RRULE:FREQ=WEEKLY;COUNT=4
END:VEVENT
BEGIN:VEVENT
UID:floating
DTSTAMP:20261001T000000Z
DTSTART:20261020T090000
DTEND:20261020T103000
END:VEVENT
END:VCALENDAR
""".replace("\n", "\r\n")


def tell(text):
    calendar = icalendar.Calendar.from_ical(text)
    lessons = recurring_ical_events.of(calendar, components=["VEVENT"]).between((2026, 10, 1), (2026, 12, 1))
    starts = [lesson.start.astimezone(ZoneInfo("America/New_York")) for lesson in lessons if lesson["UID"] == "lesson"]
    print("lessons in New York:", ", ".join(f"{start:%d %b %H:%M}" for start in sorted(starts)))
    print("floating:", [str(e.start) for e in calendar.walk("VEVENT") if e["UID"] == "floating"][0])


tell(LESSONS)
read = Calendar(LESSONS)
tell(read.serialize())
print("timeline:", len([event for event in read.timeline if event.uid == "lesson"]), "lesson")
unsaid = Calendar(LESSONS.replace("CALSCALE:GREGORIAN\r\n", "")).serialize()
print("scale not named:", [line for line in unsaid.splitlines() if line.startswith("CALSCALE")])
END
cat > wanted <<'END'
lessons in New York: 19 Oct 09:00, 26 Oct 09:00, 02 Nov 09:00, 09 Nov 09:00
floating: 2026-10-20 09:00:00
lessons in New York: 19 Oct 09:00, 26 Oct 09:00, 02 Nov 08:00, 09 Nov 08:00
floating: 2026-10-20 09:00:00+00:00
timeline: 1 lesson
scale not named: ['CALSCALE:GEORGIAN']
END
venv/bin/python lessons.py > seen
cat seen
cmp -s seen wanted || { echo "changed: wanted as above in the script"; exit 1; }
echo "as stated: once the clocks go back, lessons begin an hour too early"
