#!/bin/sh
# iso20022.js 0.0.15 (npm): a bank's statement of the day, camt.053.001.02, with an entry of 1000 JPY, one of 19.99 EUR, and
# one that takes a credit back: 1.10 EUR, DBIT, RvslInd true. Its source says: to minor units.
# Guess: 1000, as yen have no minor unit; 1999; 110, and reversal: true. The account is 000123456, as in the file.
# Seen: 100000, 1998.9999999999998 and 110.00000000000001: the text becomes a double times 100, whatever the currency.
# No entry is ever a reversal: "true" becomes a boolean on the way and is compared with the text. The account is 123456.
# Exit 0 while this is so; 1 when it changed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --ignore-scripts --no-audit --no-fund --no-package-lock "iso20022.js@0.0.15"
cat > statement.mjs <<'END'
import { CashManagementEndOfDayReport } from "iso20022.js";

const day = (name) => `<${name}><Dt>2026-11-02</Dt></${name}>`;
const entry = (currency, amount, mark, more = "") => `<Ntry><Amt Ccy="${currency}">${amount}</Amt>
  <CdtDbtInd>${mark}</CdtDbtInd>${more}<Sts>BOOK</Sts>${day("BookgDt")}${day("ValDt")}
  <BkTxCd><Prtry><Cd>NTRF</Cd></Prtry></BkTxCd></Ntry>`;
const report = CashManagementEndOfDayReport.fromXML(`<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.02"><BkToCstmrStmt>
<GrpHdr><MsgId>M1</MsgId><CreDtTm>2026-11-03T06:00:00Z</CreDtTm></GrpHdr>
<Stmt><Id>S1</Id><ElctrncSeqNb>1</ElctrncSeqNb><CreDtTm>2026-11-03T06:00:00Z</CreDtTm>
<Acct><Id><Othr><Id>000123456</Id></Othr></Id><Svcr><FinInstnId><BIC>NUMMDE20</BIC></FinInstnId></Svcr></Acct>
<Bal><Tp><CdOrPrtry><Cd>CLBD</Cd></CdOrPrtry></Tp><Amt Ccy="EUR">18.89</Amt><CdtDbtInd>CRDT</CdtDbtInd>${day("Dt")}</Bal>
${entry("JPY", "1000", "CRDT")}
${entry("EUR", "19.99", "CRDT")}
${entry("EUR", "1.10", "DBIT", "<RvslInd>true</RvslInd>")}
</Stmt></BkToCstmrStmt></Document>`);
for (const { amount, currency, reversal } of report.entries) {
  console.log(`${currency} ${amount}, reversal: ${reversal}`);
}
console.log("account", report.statements[0].account.accountNumber);
END
cat > wanted <<'END'
JPY 100000, reversal: false
EUR 1998.9999999999998, reversal: false
EUR 110.00000000000001, reversal: false
account 123456
END
node statement.mjs > seen
cat seen
cmp -s seen wanted || { echo "changed: wanted as above in the script"; exit 1; }
echo "as stated: a thousand yen are a hundred thousand, and a reversal is none"
