#!/bin/sh
# iso20022.js 0.0.15 (npm): a bank's camt.053 statement with a payment of 19.99 EUR, the same money taken back by an
# entry with <RvslInd>true</RvslInd>, and 1000 JPY received.
# Guess: the second entry has reversal: true, which is what the field is for; amounts are minor units: 1999, 1999, 1000.
# Seen: reversal is false for both. The parser of XML makes true a boolean, which is then compared with the text "true",
# so that no entry with this text is a reversal. 19.99 is 1998.9999999999998, a product of floats, which cut to whole
# cents is 1998; 1000 JPY, which have no smaller unit, are 100000.
# Exit 0 while this is so; 1 when it changed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --ignore-scripts --no-audit --no-fund --no-package-lock "iso20022.js@0.0.15" "fast-xml-parser@4.5.7"
cat > statement.xml <<'END'
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.02"><BkToCstmrStmt>
<GrpHdr><MsgId>m1</MsgId><CreDtTm>2026-05-22T06:00:00</CreDtTm></GrpHdr>
<Stmt><Id>s1</Id><ElctrncSeqNb>1</ElctrncSeqNb><CreDtTm>2026-05-22T06:00:00</CreDtTm>
<Acct><Id><IBAN>DE89370400440532013000</IBAN></Id><Svcr><FinInstnId><BIC>COBADEFFXXX</BIC></FinInstnId></Svcr></Acct>
<Bal><Tp><CdOrPrtry><Cd>CLBD</Cd></CdOrPrtry></Tp><Amt Ccy="EUR">500.00</Amt><CdtDbtInd>CRDT</CdtDbtInd>
<Dt><Dt>2026-05-21</Dt></Dt></Bal>
<Ntry><Amt Ccy="EUR">19.99</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>BOOK</Sts>
<BookgDt><Dt>2026-05-21</Dt></BookgDt><BkTxCd><Prtry><Cd>A</Cd></Prtry></BkTxCd></Ntry>
<Ntry><Amt Ccy="EUR">19.99</Amt><CdtDbtInd>DBIT</CdtDbtInd><RvslInd>true</RvslInd><Sts>BOOK</Sts>
<BookgDt><Dt>2026-05-21</Dt></BookgDt><BkTxCd><Prtry><Cd>A</Cd></Prtry></BkTxCd></Ntry>
<Ntry><Amt Ccy="JPY">1000</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>BOOK</Sts>
<BookgDt><Dt>2026-05-21</Dt></BookgDt><BkTxCd><Prtry><Cd>A</Cd></Prtry></BkTxCd></Ntry>
</Stmt></BkToCstmrStmt></Document>
END
cat > read.mjs <<'END'
import { readFileSync } from "fs";
import { CashManagementEndOfDayReport } from "iso20022.js";

const report = CashManagementEndOfDayReport.fromXML(readFileSync("statement.xml", "utf8"));
for (const entry of report.statements[0].entries) {
  console.log(entry.creditDebitIndicator, entry.amount, entry.currency, "reversal:", entry.reversal);
}
END
cat > wanted <<'END'
credit 1998.9999999999998 EUR reversal: false
debit 1998.9999999999998 EUR reversal: false
credit 100000 JPY reversal: false
END
node read.mjs > told
cat told
cmp -s told wanted || { echo "changed: wanted as above in the script"; exit 1; }
echo "as stated: no entry is a reversal, and cents are no whole numbers"
