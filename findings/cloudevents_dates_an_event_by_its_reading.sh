#!/bin/sh
# cloudevents 2.2.0 (PyPI): an event without the attribute time, which CloudEvents leaves optional, read twice.
# Guess: the event read has no time either, so that whoever books by it sees that none was said; both readings are equal.
# Seen: each reading sets the time of reading, and nothing tells it from a time that was sent: the same payment, delivered
# again next month, is an event of next month. Written on, it carries that time for good.
# Exit 0 while this is so; 1 when it changed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install -q "cloudevents==2.2.0"
cat > times.py <<'END'
from datetime import UTC, datetime
from time import sleep

from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

SENT = b'{"specversion": "1.0", "id": "1", "source": "/payments", "type": "payment.taken", "data": {"cents": 1999}}'
begun = datetime.now(UTC)
first = JSONFormat().read(CloudEvent, SENT)
sleep(0.01)
again = JSONFormat().read(CloudEvent, SENT)
print("time sent:", b'"time"' in SENT)
print("time read is that of reading:", begun <= first.get_time() < again.get_time() <= datetime.now(UTC))
print("time sent on:", b'"time"' in JSONFormat().write(first))
END
cat > wanted <<'END'
time sent: False
time read is that of reading: True
time sent on: True
END
venv/bin/python times.py > told
cat told
cmp -s told wanted || { echo "changed: wanted as above in the script"; exit 1; }
echo "as stated: an event without a time gets that of its reading"
