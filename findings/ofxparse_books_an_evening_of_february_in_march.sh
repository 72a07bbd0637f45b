#!/bin/sh
# ofxparse 0.21 (PyPI): rows of a bank statement of 28 February 2026, one
# with the bank's zone, 23:00 [-5:EST], one with the date alone.
# Guess: the dates are the bank's, 28 February, or at least carry a zone when they were moved to another.
# Seen: the first is 1 March 04:00, moved to UTC, and naive; the second is 28 February 00:00, naive too. Nothing in
# either tells which was moved, so that the bank's day, and here its month, cannot be had back from the row.
# Exit 0 while this is so; 1 when it changed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install -q "ofxparse==0.21"
cat > dates.py <<'END'
import io
from ofxparse import OfxParser

HEAD = """OFXHEADER:100
DATA:OFXSGML
VERSION:102
SECURITY:NONE
ENCODING:USASCII
CHARSET:1252
COMPRESSION:NONE
OLDFILEUID:NONE
NEWFILEUID:NONE

"""
BODY = """<OFX><SIGNONMSGSRSV1><SONRS><STATUS><CODE>0<SEVERITY>INFO</STATUS><DTSERVER>20260301<LANGUAGE>ENG
</SONRS></SIGNONMSGSRSV1><BANKMSGSRSV1><STMTTRNRS><TRNUID>1<STATUS><CODE>0<SEVERITY>INFO</STATUS><STMTRS>
<CURDEF>USD<BANKACCTFROM><BANKID>1<ACCTID>2<ACCTTYPE>CHECKING</BANKACCTFROM>
<BANKTRANLIST><DTSTART>20260201<DTEND>20260228
<STMTTRN><TRNTYPE>CREDIT<DTPOSTED>20260228230000[-5:EST]<TRNAMT>10.00<FITID>1<NAME>a lesson</STMTTRN>
<STMTTRN><TRNTYPE>CREDIT<DTPOSTED>20260228<TRNAMT>20.00<FITID>2<NAME>a lesson</STMTTRN>
</BANKTRANLIST><LEDGERBAL><BALAMT>30.00<DTASOF>20260228</LEDGERBAL></STMTRS></STMTTRNRS></BANKMSGSRSV1></OFX>
"""
for row in OfxParser.parse(io.BytesIO((HEAD + BODY).encode())).account.statement.transactions:
    print(row.amount, "of", row.date, "zone", row.date.tzinfo)
END
cat > wanted <<'END'
10.00 of 2026-03-01 04:00:00 zone None
20.00 of 2026-02-28 00:00:00 zone None
END
venv/bin/python -W ignore dates.py > told
cat told
cmp -s told wanted || { echo "changed: wanted as above in the script"; exit 1; }
echo "as stated: two rows of one day of the bank lie in two months"
