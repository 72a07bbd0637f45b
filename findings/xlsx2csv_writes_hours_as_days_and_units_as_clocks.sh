#!/bin/sh
# xlsx2csv 0.8.6 and openpyxl 3.1.5 (PyPI): flight hours of a workbook: 30 hours 30 minutes as [h]:mm, how workbooks
# sum hours past a day, 6 h 30 min as h:mm, and 1.5 with the unit in its format, 0.0 "h".
# Guess: the CSV has what the workbook shows: 30:30, 06:30 and 1.5 h (or 1.5).
# Seen: 30:30 comes as 1.270833, its days, without a word; in the same column 6:30 comes as 06:30. 1.5 comes as
# 0.0 "12": the h inside the quotes is taken for hours of a clock (1.5 days: noon), and the number is lost.
# Exit 0 while this is so; 1 when it changed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install -q "xlsx2csv==0.8.6" "openpyxl==3.1.5"
cat > hours.py <<'END'
import csv, io, subprocess, sys
from datetime import timedelta
from openpyxl import Workbook

book = Workbook()
cells = [(timedelta(hours=30, minutes=30), "[h]:mm"), (timedelta(hours=6, minutes=30), "h:mm"), (1.5, '0.0 "h"')]
for row, (value, shown_as) in enumerate(cells, 1):
    book.active.cell(row, 1, value).number_format = shown_as
book.save("hours.xlsx")
text = subprocess.run([sys.executable, "-m", "xlsx2csv", "hours.xlsx"], capture_output=True, text=True, check=True).stdout
for (value, shown_as), (said,) in zip(cells, csv.reader(io.StringIO(text))):
    print(f"{value} as {shown_as}: {said}")
END
cat > wanted <<'END'
1 day, 6:30:00 as [h]:mm: 1.270833
6:30:00 as h:mm: 06:30
1.5 as 0.0 "h": 0.0 "12"
END
venv/bin/python hours.py > told
cat told
cmp -s told wanted || { echo "changed: wanted as above in the script"; exit 1; }
echo "as stated: hours past a day are days, and 1.5 h is a clock's 12"
