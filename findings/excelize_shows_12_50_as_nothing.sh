#!/bin/sh
# excelize v2.11.1 (Go): amounts in cells whose formats have a condition in brackets, as ECMA-376 has it (18.8.31):
# thousands with a k and what is less as it is, and a word for what costs nothing.
# Guess: GetCellValue gives what the cell shows: of 12.50, 1234.50 and 0 first 12.50, 1.2k and 0.00, then 12.50,
# 1234.50 and free.
# Seen: the first section is taken for all three, as if it had no condition: 12.50 is 0.0k, and with a word for nothing
# every amount is free. xlsx 0.18.5 (npm) shows each as guessed.
# Exit 0 while this is so; 1 when it changed.
set -eu
folder=$(mktemp -d)
trap 'chmod -R u+w "$folder"; rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --ignore-scripts --no-audit --no-fund --no-package-lock "xlsx@0.18.5"
cat > go.mod <<'END'
module finding

go 1.23

require github.com/xuri/excelize/v2 v2.11.1
END
cat > main.go <<'END'
package main

import (
	"fmt"

	"github.com/xuri/excelize/v2"
)

func main() {
	book := excelize.NewFile()
	for row, format := range []string{`[>=1000]0.0,"k";0.00`, `[=0]"free";0.00`} {
		style, failed := book.NewStyle(&excelize.Style{CustomNumFmt: &format})
		if failed != nil {
			panic(failed)
		}
		for column, amount := range []float64{12.5, 1234.5, 0} {
			cell, _ := excelize.CoordinatesToCellName(column+1, row+1)
			book.SetCellValue("Sheet1", cell, amount)
			book.SetCellStyle("Sheet1", cell, cell, style)
			shown, _ := book.GetCellValue("Sheet1", cell)
			fmt.Print(shown, " ")
		}
		fmt.Println("excelize")
	}
	if failed := book.SaveAs("amounts.xlsx"); failed != nil {
		panic(failed)
	}
}
END
cat > read.cjs <<'END'
const xlsx = require("xlsx");

const sheet = xlsx.readFile("amounts.xlsx").Sheets.Sheet1;
for (const row of [1, 2]) console.log(...["A", "B", "C"].map((column) => sheet[column + row].w), "xlsx");
END
cat > wanted <<'END'
0.0k 1.2k 0.0k excelize
free free free excelize
12.50 1.2k 0.00 xlsx
12.50 1234.50 free xlsx
END
export GOFLAGS=-mod=mod
go run . > told
node read.cjs >> told
cat told
cmp -s told wanted || { echo "changed: wanted as above in the script"; exit 1; }
echo "as stated: an amount is shown as nothing"
