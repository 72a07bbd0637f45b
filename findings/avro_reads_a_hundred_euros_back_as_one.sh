#!/bin/sh
# avro 1.12.2 (PyPI): amounts in a field of the logical type decimal, precision 6, scale 2, written and read again with
# one schema; and the same with fastavro 1.13.1.
# Guess: the number that was written, or an error: the format stores the unscaled value by the scale of the schema, so
# 100 as 10000.
# Seen: avro reads 100 back as 1.00 and 1.1 as 0.11. It stores the digits of the Decimal as they are, whatever its own
# exponent, so that only amounts with exactly two decimals survive. fastavro stores 100.00 and 1.10; from avro's bytes it
# reads what avro reads.
# Exit 0 while this is so; 1 when it changed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install -q "avro==1.12.2" "fastavro==1.13.1"
cat > amounts.py <<'END'
from decimal import Decimal
from io import BytesIO
from json import dumps

import fastavro
from avro import io, schema

AMOUNT = {"type": "bytes", "logicalType": "decimal", "precision": 6, "scale": 2}
PARSED = schema.parse(dumps(AMOUNT))

for text in ("100.00", "100", "1.1", "-7"):
    ours, theirs = BytesIO(), BytesIO()
    io.DatumWriter(PARSED).write(Decimal(text), io.BinaryEncoder(ours))
    fastavro.schemaless_writer(theirs, AMOUNT, Decimal(text))
    for stream in (ours, theirs):
        stream.seek(0)
    read = io.DatumReader(PARSED).read(io.BinaryDecoder(ours))
    ours.seek(0)
    across = fastavro.schemaless_reader(ours, AMOUNT)
    print(f"{text}: avro {read}, fastavro of avro's bytes {across}, fastavro {fastavro.schemaless_reader(theirs, AMOUNT)}")
END
cat > wanted <<'END'
100.00: avro 100.00, fastavro of avro's bytes 100.00, fastavro 100.00
100: avro 1.00, fastavro of avro's bytes 1.00, fastavro 100.00
1.1: avro 0.11, fastavro of avro's bytes 0.11, fastavro 1.10
-7: avro -0.07, fastavro of avro's bytes -0.07, fastavro -7.00
END
venv/bin/python amounts.py > told
cat told
cmp -s told wanted || { echo "changed: wanted as above in the script"; exit 1; }
echo "as stated: avro reads back a hundredth of what it was given"
