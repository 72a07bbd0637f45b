#!/bin/sh
# hyperformula 3.5.0 (npm): a workbook of a school, its hours summed and shown as [h]:mm, its fees rounded to cents, and whole
# hours cut off a correction below zero.
# Guess: as in the spreadsheets it is made to stand in for: 30 hours 30 minutes are 30:30; a half of a cent goes away from zero,
# as ROUND has it there for the number that was written; INT(-2.5) is -3, the next whole number below.
# Seen: "[h]:mm" shows "[6]:30", with a day lost and its brackets kept, while "[hh]:mm" is 30:30. Of the halves of a cent from
# 0.005 to 19.995, 135 of 2000 are rounded down: 0.285 is 0.28, 1.005 is 1. INT(-2.5) is -2. "#,##0.00" of 1234.5 is
# "1235,##0.00". None of it is an error.
# Exit 0 while this is so; 1 when it changed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --ignore-scripts --no-audit --no-fund --no-package-lock "hyperformula@3.5.0"
cat > sheet.mjs <<'END'
import { HyperFormula } from "hyperformula";

function values(formulas) {
  const sheet = HyperFormula.buildFromArray(formulas.map((formula) => [`=${formula}`]), { licenseKey: "gpl-v3" });
  return formulas.map((_, row) => sheet.getCellValue({ sheet: 0, row, col: 0 }));
}

const shown = ['TEXT(30.5/24,"[h]:mm")', 'TEXT(30.5/24,"[hh]:mm")', 'TEXT(1234.5,"#,##0.00")', "ROUND(0.285,2)", "ROUND(1.005,2)",
  "INT(-2.5)"];
values(shown).forEach((value, row) => console.log(`${shown[row]} is ${value}`));

const cents = [...Array(2000).keys()];
const rounded = values(cents.map((cent) => `ROUND(${((cent * 10 + 5) / 1000).toFixed(3)},2)`));
console.log("halves rounded down:", cents.filter((cent) => Math.round(rounded[cent] * 100) === cent).length);
console.log("halves rounded up:", cents.filter((cent) => Math.round(rounded[cent] * 100) === cent + 1).length);
END
cat > wanted <<'END'
TEXT(30.5/24,"[h]:mm") is [6]:30
TEXT(30.5/24,"[hh]:mm") is 30:30
TEXT(1234.5,"#,##0.00") is 1235,##0.00
ROUND(0.285,2) is 0.28
ROUND(1.005,2) is 1
INT(-2.5) is -2
halves rounded down: 135
halves rounded up: 1865
END
node sheet.mjs > seen
cat seen
cmp -s seen wanted || { echo "changed: wanted as above in the script"; exit 1; }
echo "as stated: thirty hours and a half are six"
