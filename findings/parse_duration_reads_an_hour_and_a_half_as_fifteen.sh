#!/bin/sh
# parse-duration 2.1.9 and timestring 7.0.0 (npm): the duration of a lesson as logbooks have it, an hour and a half.
# Guess: 1,5h, with the decimal comma of half of Europe, is 1.5 h or refused, and so is 1:30h.
# Seen: both read 1,5h as 15 hours, because they drop commas as if they stood between thousands, wherever they stand.
# Asked for hours, parse-duration reads 1:30 as 1.5, and 1:30h as 31: with the unit it adds the two numbers.
# Exit 0 while this is so; 1 when it changed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --ignore-scripts --no-audit --no-fund --no-package-lock "parse-duration@2.1.9" "timestring@7.0.0"
cat > read.mjs <<'END'
import parse from "parse-duration";
import timestring from "timestring";

for (const text of ["1.5h", "1,5h", "1:30", "1:30h"]) console.log("parse-duration", text, parse(text, "h"));
for (const text of ["1.5h", "1,5h"]) console.log("timestring", text, timestring(text, "h"));
END
cat > wanted <<'END'
parse-duration 1.5h 1.5
parse-duration 1,5h 15
parse-duration 1:30 1.5
parse-duration 1:30h 31
timestring 1.5h 1.5
timestring 1,5h 15
END
node read.mjs > told
cat told
cmp -s told wanted || { echo "changed: wanted as above in the script"; exit 1; }
echo "as stated: an hour and a half is fifteen hours"
