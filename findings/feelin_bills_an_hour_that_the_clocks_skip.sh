#!/bin/sh
# feelin 8.2.0 (npm): FEEL, the language of DMN's decision tables, with which a price is written as a rule: the hours between two
# moments with their zone, and sums of tenths and halves of a cent.
# Guess: numbers are decimals of 34 digits, as DMN has them, so that 0.1 + 0.2 = 0.3 and 1.005 is 1.01 rounded half up; the time
# from 1:00 to 4:00 of 29 March 2026 in Berlin, when clocks go from 2:00 to 3:00, is 2 hours.
# Seen: numbers are doubles: 0.1 + 0.2 = 0.3 is false, round half up(1.005, 2) is 1, floor((0.7 + 0.1) * 10) is 7. The time is
# PT3H, an hour that nobody flew, and noon of the day before plus PT24H is noon, 23 hours on. None of it is an error.
# Exit 0 while this is so; 1 when it changed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --ignore-scripts --no-audit --no-fund --no-package-lock "feelin@8.2.0"
cat > rules.mjs <<'END'
import { evaluate } from "feelin";

const night = (day, hour) => `date and time("2026-03-${day}T${hour}:00:00@Europe/Berlin")`;
for (const rule of [
  "0.1 + 0.2 = 0.3",
  "round half up(1.005, 2)",
  "floor((0.7 + 0.1) * 10)",
  `${night(29, "04")} - ${night(29, "01")}`,
  `${night(28, "12")} + duration("PT24H") = ${night(29, "12")}`,
]) {
  console.log(`${rule}: ${evaluate(rule, {}).value}`);
}
END
cat > wanted <<'END'
0.1 + 0.2 = 0.3: false
round half up(1.005, 2): 1
floor((0.7 + 0.1) * 10): 7
date and time("2026-03-29T04:00:00@Europe/Berlin") - date and time("2026-03-29T01:00:00@Europe/Berlin"): PT3H
date and time("2026-03-28T12:00:00@Europe/Berlin") + duration("PT24H") = date and time("2026-03-29T12:00:00@Europe/Berlin"): true
END
node rules.mjs > seen
cat seen
cmp -s seen wanted || { echo "changed: wanted as above in the script"; exit 1; }
echo "as stated: two hours are three, and a half of a cent is lost"
