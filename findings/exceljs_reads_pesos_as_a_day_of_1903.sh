#!/bin/sh
# exceljs 4.4.0 (npm): numbers of a workbook whose formats have a unit, its letters escaped one by one with a backslash,
# one of the two ways to say a text in a number format: 1234.50 MXN, 1.5 h, 85 km; the last is #,##0.00 alone.
# Guess: the values are the numbers; a unit in the format changes how a cell looks, not what it holds.
# Seen: each comes as a Date, 1234.5 as noon of 18 May 1903, since M, h and m outside of quotes and brackets are taken
# for parts of a date, escaped or not. xlsx 0.18.5 (npm) reads the numbers and shows them as guessed.
# Exit 0 while this is so; 1 when it changed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --ignore-scripts --no-audit --no-fund --no-package-lock "exceljs@4.4.0" "xlsx@0.18.5"
cat > units.cjs <<'END'
const ExcelJS = require("exceljs");
const XLSX = require("xlsx");

const cells = [[1234.5, "#,##0.00\\ \\M\\X\\N"], [1.5, "0.0\\ \\h"], [85, "0\\ \\k\\m"], [1234.5, "#,##0.00"]];

async function main() {
  const book = new ExcelJS.Workbook();
  const sheet = book.addWorksheet("units");
  cells.forEach(([value, numFmt], row) => Object.assign(sheet.getCell(row + 1, 1), { value, numFmt }));
  await book.xlsx.writeFile("units.xlsx");
  const other = XLSX.readFile("units.xlsx").Sheets.units;
  await book.xlsx.readFile("units.xlsx");
  cells.forEach(([, format], row) => {
    const value = book.getWorksheet("units").getCell(row + 1, 1).value;
    const { v, w } = other[`A${row + 1}`];
    console.log(`${format}: exceljs ${value instanceof Date ? value.toISOString() : value}, xlsx ${v} as "${w}"`);
  });
}
main();
END
cat > wanted <<'END'
#,##0.00\ \M\X\N: exceljs 1903-05-18T12:00:00.000Z, xlsx 1234.5 as "1,234.50 MXN"
0.0\ \h: exceljs 1899-12-31T12:00:00.000Z, xlsx 1.5 as "1.5 h"
0\ \k\m: exceljs 1900-03-25T00:00:00.000Z, xlsx 85 as "85 km"
#,##0.00: exceljs 1234.5, xlsx 1234.5 as "1,234.50"
END
node units.cjs > told
cat told
cmp -s told wanted || { echo "changed: wanted as above in the script"; exit 1; }
echo "as stated: numbers with a unit are read as dates"
