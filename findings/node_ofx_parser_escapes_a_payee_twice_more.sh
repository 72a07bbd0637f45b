#!/bin/sh
# node-ofx-parser 0.5.1 (npm): the name of a payee with an ampersand, escaped in OFX 1.0.2 (SGML) as the standard says.
# Guess: "SMITH &amp; SONS" in the file is "SMITH & SONS" when it was parsed, or, at worst, as it stands in the file.
# Seen: "SMITH &amp;amp;amp; SONS". The package ofx 0.5.0, from which it comes, gives "SMITH & SONS". Who matches
# payments with names, or with references such as "A&B-17", finds none.
# Exit 0 while this is so; 1 when it changed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --ignore-scripts --no-audit --no-fund --no-package-lock "node-ofx-parser@0.5.1"
cat > names.cjs <<'END'
const header = ["OFXHEADER:100", "DATA:OFXSGML", "VERSION:102", "SECURITY:NONE", "ENCODING:USASCII", "CHARSET:1252",
  "COMPRESSION:NONE", "OLDFILEUID:NONE", "NEWFILEUID:NONE", "", ""].join("\n");
const body = `<OFX>
<BANKMSGSRSV1>
<STMTTRNRS>
<TRNUID>1
<STMTRS>
<CURDEF>USD
<BANKTRANLIST>
<DTSTART>20261101
<DTEND>20261130
<STMTTRN>
<TRNTYPE>CREDIT
<DTPOSTED>20261103
<TRNAMT>1200.50
<FITID>1
<NAME>SMITH &amp; SONS
</STMTTRN>
</BANKTRANLIST>
</STMTRS>
</STMTTRNRS>
</BANKMSGSRSV1>
</OFX>
`;
const { OFX } = require("node-ofx-parser").parse(header + body);
console.log(OFX.BANKMSGSRSV1.STMTTRNRS.STMTRS.BANKTRANLIST.STMTTRN.NAME);
END
echo 'SMITH &amp;amp;amp; SONS' > wanted
node names.cjs > seen
cat seen
cmp -s seen wanted || { echo "changed: wanted as above in the script"; exit 1; }
echo "as stated: an ampersand comes back escaped three times"
