#!/bin/sh
# pycamt 1.1.1 (PyPI): a card payment in dollars on a euro account's camt.053 statement. The entry books 50.00 EUR; its
# details name the amount that was instructed, 58.10 USD, and the one that was moved, 50.00 EUR.
# Guess: the transaction's amount is what the account was debited: 50.00 EUR.
# Seen: 58.10 EUR: the first Amt below the details is taken, whoever's it is, and the entry's currency beside it.
# Exit 0 while this is so; 1 when it changed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install -q "pycamt==1.1.1"
cat > statement.xml <<'END'
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.02"><BkToCstmrStmt>
<GrpHdr><MsgId>m1</MsgId><CreDtTm>2026-05-22T06:00:00</CreDtTm></GrpHdr>
<Stmt><Id>s1</Id><CreDtTm>2026-05-22T06:00:00</CreDtTm><Acct><Id><IBAN>DE89370400440532013000</IBAN></Id></Acct>
<Ntry><Amt Ccy="EUR">50.00</Amt><CdtDbtInd>DBIT</CdtDbtInd><Sts>BOOK</Sts><BookgDt><Dt>2026-05-21</Dt></BookgDt>
<NtryDtls><TxDtls><AmtDtls>
<InstdAmt><Amt Ccy="USD">58.10</Amt></InstdAmt><TxAmt><Amt Ccy="EUR">50.00</Amt></TxAmt>
</AmtDtls></TxDtls></NtryDtls></Ntry>
</Stmt></BkToCstmrStmt></Document>
END
cat > read.py <<'END'
from pycamt.parser import Camt053Parser

[one] = Camt053Parser.from_file("statement.xml").get_transactions()
print(one["CreditDebitIndicator"], one["Amount"], one["Currency"])
END
echo "DBIT 58.10 EUR" > wanted
venv/bin/python read.py > told
cat told
cmp -s told wanted || { echo "changed: wanted $(cat wanted)"; exit 1; }
echo "as stated: the dollars' figure stands beside the euros' name"
