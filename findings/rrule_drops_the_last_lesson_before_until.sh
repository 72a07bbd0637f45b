#!/bin/sh
# rrule 2.8.1 (npm) and rrule-temporal 2.2.8 (npm): lessons that repeat at a local time, with UNTIL in UTC, as RFC 5545
# asks for once DTSTART names a zone, and with a lesson taken out by an EXDATE in UTC.
# Guess: UNTIL is the last moment, itself included: daily at 9:00 in Berlin until 3 July 07:00 UTC is three lessons; the
# EXDATE takes out the lesson at that moment.
# Seen: rrule compares the local clock with the UTC one as if both were UTC. In Berlin the last lesson is lost; in Los
# Angeles there is one more, after UNTIL; the lesson taken out takes place. rrule-temporal is as guessed.
# Exit 0 while this is so; 1 when it changed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --ignore-scripts --no-audit --no-fund --no-package-lock "rrule@2.8.1" "rrule-temporal@2.2.8"
cat > lessons.mjs <<'END'
import rrule from "rrule";
import { RRuleTemporal } from "rrule-temporal";

const lessons = {
  "Berlin until 07:00Z": "DTSTART;TZID=Europe/Berlin:20260701T090000\nRRULE:FREQ=DAILY;UNTIL=20260703T070000Z",
  "Los Angeles until 01:59Z": "DTSTART;TZID=America/Los_Angeles:20260701T190000\nRRULE:FREQ=DAILY;UNTIL=20260704T015900Z",
  "Berlin but 07:00Z": "DTSTART;TZID=Europe/Berlin:20260701T090000\nRRULE:FREQ=DAILY;COUNT=3\nEXDATE:20260702T070000Z",
};
for (const [name, text] of Object.entries(lessons)) {
  const moments = rrule.rrulestr(text).all().map((date) => date.getTime());
  const others = new RRuleTemporal({ rruleString: text }).all().map((time) => time.epochMilliseconds);
  const told = (list) => list.map((moment) => new Date(moment).toISOString().slice(8, 16)).join(" ");
  console.log(`${name}: rrule ${told(moments)}, rrule-temporal ${told(others)}`);
}
END
cat > wanted <<'END'
Berlin until 07:00Z: rrule 01T07:00 02T07:00, rrule-temporal 01T07:00 02T07:00 03T07:00
Los Angeles until 01:59Z: rrule 02T02:00 03T02:00 04T02:00, rrule-temporal 02T02:00 03T02:00
Berlin but 07:00Z: rrule 01T07:00 02T07:00 03T07:00, rrule-temporal 01T07:00 03T07:00
END
node lessons.mjs > told
cat told
cmp -s told wanted || { echo "changed: wanted as above in the script"; exit 1; }
echo "as stated: rrule has a lesson too few, one too many, and one that was taken out"
