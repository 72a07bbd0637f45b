#!/bin/sh
# csvkit 2.2.0 with agate 1.14.2 (PyPI): a CSV with semicolons, as spreadsheets of half of Europe save it, sorted by its
# last column. Block times are 1:30 and 2:15, hours and minutes; fees have a decimal comma, 12,50 and 1200,00.
# Guess: csvsort changes the order of rows and nothing in them; csvstat sums 3:45 of block time, or calls it text.
# Seen: every tool that reads columns by type writes them by type: 1:30 comes out as 0:01:30, one minute and a half, and
# 12,50 as 1250, as any comma counts as one of thousands. csvstat sums 0:03:45. No message, exit 0. csvsort --no-inference
# leaves the cells as they were.
# Exit 0 while this is so; 1 when it changed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install -q "csvkit==2.2.0" "agate==1.14.2"
cat > flights.csv <<'END'
pilot;block;fee;row
Ben;2:15;1200,00;2
Ann;1:30;12,50;1
END
cat > wanted <<'END'
pilot,block,fee,row
Ann,0:01:30,1250,1
Ben,0:02:15,120000,2
sum of block: 0:03:45
sum of fee: 121250
without inference:
pilot,block,fee,row
Ann,1:30,"12,50",1
Ben,2:15,"1200,00",2
END
{
  venv/bin/csvsort --delimiter ';' --columns row flights.csv
  echo "sum of block: $(venv/bin/csvstat --delimiter ';' --columns block --sum flights.csv)"
  echo "sum of fee: $(venv/bin/csvstat --delimiter ';' --columns fee --sum flights.csv | tr -d ',')"
  echo "without inference:"
  venv/bin/csvsort --delimiter ';' --columns row --no-inference flights.csv
} > seen
cat seen
cmp -s seen wanted || { echo "changed: wanted as above in the script"; exit 1; }
echo "as stated: a flight of an hour and a half is sorted into one of 90 seconds"
