#!/bin/sh
# hledger 1.25-2+b5 (Debian 12): a plain text journal with amounts as American schools write them, $1,000.00 and $1,000.
# Guess: a comma with three digits behind it groups thousands, at the latest once $1,000.00 stood in the same file.
# Seen: an amount with a single comma has it for its decimal mark, whatever other amounts in the file say: $1,000.00 and
# $1,000 are 1,001 together, and $1,000 and $2.50 are shown as $3,500, which is three and a half. It balances, so nothing
# warns. A line `commodity $1,000.00` in the journal makes it as guessed.
# Exit 0 while this is so; 1 when it changed. Needs a Debian whose package lists have this version.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get download -qq hledger=1.25-2+b5 2>/dev/null
dpkg -x hledger_*.deb installed
bought() {
  printf '2026-11-01 fuel\n  expenses:fuel  %s\n  assets:bank\n\n' "$1"
}
total() {
  installed/usr/bin/hledger --file "$1" balance expenses --output-format json |
    sed -n 's/.*"floatingPoint": *\(-*[0-9.]*\).*/\1/p' | tail -n 1
}
{ bought '$1,000.00'; bought '$1,000'; } > both
{ bought '$1,000'; bought '$2.50'; } > mixed
{ echo 'commodity $1,000.00'; cat both; } > told
for file in both mixed told; do
  echo "$file: $(total "$file"), shown as $(installed/usr/bin/hledger --file "$file" balance expenses --no-total | tr -s ' ' | cut -d ' ' -f 2)"
done > seen
cat seen
cat > wanted <<'END'
both: 1001, shown as $1,001.000
mixed: 3.5, shown as $3,500
told: 2000, shown as $2,000.00
END
cmp -s seen wanted || { echo "changed: wanted as above in the script"; exit 1; }
echo "as stated: a thousand dollars without cents are one dollar"
