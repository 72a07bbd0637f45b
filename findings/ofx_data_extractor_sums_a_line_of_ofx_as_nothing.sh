#!/bin/sh
# ofx-data-extractor 1.5.0 (npm): a bank's statement in OFX 1.0.2 (SGML) without line breaks, as some banks send it.
# Guess: line breaks between elements mean nothing in SGML, so the sums are those of the same file with line breaks.
# Seen: getTransactionsSummary() says 0 credits, 0 debits and no dates, and raises nothing. With line breaks: 1200.5 and
# 35.1. A school whose bank writes one line sees a month without money.
# Exit 0 while this is so; 1 when it changed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --ignore-scripts --no-audit --no-fund --no-package-lock "ofx-data-extractor@1.5.0"
cat > sums.cjs <<'END'
const { Ofx } = require("ofx-data-extractor");

const header = ["OFXHEADER:100", "DATA:OFXSGML", "VERSION:102", "SECURITY:NONE", "ENCODING:USASCII", "CHARSET:1252",
  "COMPRESSION:NONE", "OLDFILEUID:NONE", "NEWFILEUID:NONE", "", ""].join("\n");
const elements = ["<OFX>",
  "<SIGNONMSGSRSV1>", "<SONRS>", "<STATUS>", "<CODE>0", "<SEVERITY>INFO", "</STATUS>", "<DTSERVER>20261130120000",
  "<LANGUAGE>ENG", "</SONRS>", "</SIGNONMSGSRSV1>",
  "<BANKMSGSRSV1>", "<STMTTRNRS>", "<TRNUID>1", "<STATUS>", "<CODE>0", "<SEVERITY>INFO", "</STATUS>", "<STMTRS>",
  "<CURDEF>USD", "<BANKACCTFROM>", "<BANKID>1", "<ACCTID>2", "<ACCTTYPE>CHECKING", "</BANKACCTFROM>",
  "<BANKTRANLIST>", "<DTSTART>20261101", "<DTEND>20261130",
  "<STMTTRN>", "<TRNTYPE>CREDIT", "<DTPOSTED>20261103", "<TRNAMT>1200.50", "<FITID>1", "<NAME>LESSONS", "</STMTTRN>",
  "<STMTTRN>", "<TRNTYPE>DEBIT", "<DTPOSTED>20261104", "<TRNAMT>-35.10", "<FITID>2", "<NAME>FUEL", "</STMTTRN>",
  "</BANKTRANLIST>", "<LEDGERBAL>", "<BALAMT>1165.40", "<DTASOF>20261130", "</LEDGERBAL>",
  "</STMTRS>", "</STMTTRNRS>", "</BANKMSGSRSV1>", "</OFX>"];
for (const [name, between] of [["lines", "\n"], ["one line", ""]]) {
  const { credit, debit, dateStart } = new Ofx(header + elements.join(between) + "\n").getTransactionsSummary();
  console.log(`${name}: credit ${credit}, debit ${debit}, from "${dateStart}"`);
}
END
cat > wanted <<'END'
lines: credit 1200.5, debit 35.1, from "2026-11-01"
one line: credit 0, debit 0, from ""
END
node sums.cjs > seen
cat seen
cmp -s seen wanted || { echo "changed: wanted as above in the script"; exit 1; }
echo "as stated: a statement on one line has no money"
