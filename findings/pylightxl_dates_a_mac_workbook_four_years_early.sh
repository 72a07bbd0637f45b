#!/bin/sh
# pylightxl 1.61 (PyPI), beside openpyxl 3.1.5: a day, a moment and 30 hours 30 minutes as [h]:mm in a workbook whose days count
# from 1904, as Excel for Mac long saved them and as a workbook that began there keeps for good.
# Guess: 1 March 2026, as in a workbook that counts from 1900, since the file says from when it counts (date1904).
# Seen: 28 February 2022, four years and a day early, without a word, though pylightxl knows that the cell is a day and gives it
# as one. Of the hours a day is lost in either workbook: 06:30:00. openpyxl reads both workbooks alike.
# Exit 0 while this is so; 1 when it changed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install -q "pylightxl==1.61" "openpyxl==3.1.5"
cat > days.py <<'END'
from datetime import datetime, timedelta

import pylightxl
from openpyxl import Workbook, load_workbook
from openpyxl.utils.datetime import CALENDAR_MAC_1904, CALENDAR_WINDOWS_1900

for first, epoch in (1900, CALENDAR_WINDOWS_1900), (1904, CALENDAR_MAC_1904):
    book = Workbook()
    book.epoch = epoch
    book.active.append([datetime(2026, 3, 1), datetime(2026, 3, 1, 13, 45), timedelta(hours=30, minutes=30)])
    for cell, shown in zip(book.active[1], ("yyyy-mm-dd", "yyyy-mm-dd hh:mm", "[h]:mm"), strict=True):
        cell.number_format = shown
    book.save("days.xlsx")
    print(first, "openpyxl", *(str(cell.value) for cell in load_workbook("days.xlsx").active[1]), sep=" | ")
    print(first, "pylightxl", *pylightxl.readxl("days.xlsx").ws("Sheet").row(1), sep=" | ")
END
cat > wanted <<'END'
1900 | openpyxl | 2026-03-01 00:00:00 | 2026-03-01 13:45:00 | 1 day, 6:30:00
1900 | pylightxl | 2026/03/01 | 2026/03/01 13:45:00 | 06:30:00
1904 | openpyxl | 2026-03-01 00:00:00 | 2026-03-01 13:45:00 | 1 day, 6:30:00
1904 | pylightxl | 2022/02/28 | 2022/02/28 13:45:00 | 06:30:00
END
venv/bin/python -W ignore days.py > seen
cat seen
cmp -s seen wanted || { echo "changed: wanted as above in the script"; exit 1; }
echo "as stated: a day of 2026 is one of 2022"
