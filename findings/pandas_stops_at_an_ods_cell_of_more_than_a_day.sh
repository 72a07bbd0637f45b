#!/bin/sh
# pandas 3.1.1 with odfpy 1.4.1 or python-calamine 0.9.1 (PyPI): a sheet of hours saved as ODS, one of them 25:30.
# Guess: read_excel gives 1 day 01:30 as a timedelta, or at least the two hours below a day and something for the third.
# Seen: with odfpy the whole sheet is an error, because hours are read as a time of day; with calamine the 25:30 is the
# text PT25H30M00S in a column of times. pyexcel-ods 0.6.0 reads the same file as guessed.
# Exit 0 while this is so; 1 when it changed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install -q "pandas==3.1.1" "odfpy==1.4.1" "python-calamine==0.9.1" "pyexcel-ods==0.6.0"
cat > hours.py <<'END'
import pandas
import pyexcel_ods
from odf.opendocument import OpenDocumentSpreadsheet
from odf.table import Table, TableCell, TableRow
from odf.text import P

sheet = OpenDocumentSpreadsheet()
table = Table(name="hours")
sheet.spreadsheet.addElement(table)
for value, shown in (("PT01H30M00S", "01:30"), ("PT25H30M00S", "25:30"), ("PT00H12M00S", "00:12")):
    row, cell = TableRow(), TableCell(valuetype="time", timevalue=value)
    cell.addElement(P(text=shown))
    row.addElement(cell)
    table.addElement(row)
sheet.save("hours.ods")
for engine in ("odf", "calamine"):
    try:
        column = pandas.read_excel("hours.ods", engine=engine, header=None)[0]
        print(f"{engine}: {[str(value) for value in column]}")
    except ValueError as error:
        print(f"{engine}: {error}")
print(f"pyexcel-ods: {[str(row[0]) for row in pyexcel_ods.get_data('hours.ods')['hours']]}")
END
cat > wanted <<'END'
odf: hour must be in 0..23: 25:30
calamine: ['01:30:00', 'PT25H30M00S', '00:12:00']
pyexcel-ods: ['01:30:00', '1 day, 1:30:00', '00:12:00']
END
venv/bin/python hours.py > seen
cat seen
cmp -s seen wanted || { echo "changed: wanted as above in the script"; exit 1; }
echo "as stated: one cell of 25:30 hides the sheet, or is text"
