#!/bin/sh
# umya-spreadsheet 3.1.1 (Rust): what cells of a school's workbook show, by formatted_value(): a lesson of an hour and three
# quarters and 100 hours 15 minutes as sums of hours, an hour and a half with its unit, an invoice's number filled with zeros.
# Guess: what a spreadsheet shows: 1:45, 100:15, 1.5 h and 00123.
# Seen: 1.75:45, the hours as a decimal with the minutes behind them once more; [04]:15, with four days lost and the brackets
# kept; "0.0 12", the format read as a time of day; and 123. h:mm, #,##0.00 and a unit in quotes are right. No error is given.
# Exit 0 while this is so; 1 when it changed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
mkdir src
cat > Cargo.toml <<'END'
[package]
name = "finding"
version = "0.1.0"
edition = "2021"

[dependencies]
umya-spreadsheet = "=3.1.1"
END
cat > src/main.rs <<'END'
fn main() {
    let mut book = umya_spreadsheet::new_file();
    let sheet = book.sheet_mut(0).unwrap();
    for (row, (format, value)) in [
        ("[h]:mm", 1.75 / 24.0),
        ("[hh]:mm", 100.25 / 24.0),
        ("h:mm", 1.75 / 24.0),
        ("0.0\\ \\h", 1.5),
        ("0.0\" h\"", 1.5),
        ("00000", 123.0),
        ("#,##0.00", 1234.5),
    ]
    .into_iter()
    .enumerate()
    {
        let at = (1, row as u32 + 1);
        sheet.cell_mut(at).set_value_number(value);
        sheet.style_mut(at).number_format_mut().set_format_code(format);
        println!("{format} of {value:.4}: {}", sheet.formatted_value(at));
    }
}
END
cargo run -q > told
cat told
cat > wanted <<'END'
[h]:mm of 0.0729: 1.75:45
[hh]:mm of 4.1771: [04]:15
h:mm of 0.0729: 1:45
0.0\ \h of 1.5000: 0.0 12
0.0" h" of 1.5000: 1.5 h
00000 of 123.0000: 123
#,##0.00 of 1234.5000: 1,234.50
END
cmp -s told wanted || { echo "changed: wanted as above in the script"; exit 1; }
echo "as stated: an hour and three quarters are 1.75:45"
