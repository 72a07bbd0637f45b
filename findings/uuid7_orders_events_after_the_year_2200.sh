#!/bin/sh
# uuid7 0.1.0 (PyPI) beside uuid6 2025.0.1 and uuid-utils 1.2.0 (PyPI): identifiers of two events, the first made by
# uuid7 at noon of 1 March 2026 UTC, the second by uuid6 half an hour later.
# Guess: both are UUIDs of version 7 by RFC 9562, whose first 48 bits are milliseconds since 1970: sorted as text or as a
# primary key, the earlier comes first, and any reader takes its time out again.
# Seen: uuid7 writes 36 bits of seconds first, as an early draft of the RFC had it, and the same version number 7. Readers
# of the RFC find the year 2200 in it, without an error, and whatever another library makes sorts before it. Keys that
# sort by time, pages by last identifier and partitions by it hold only while one library makes all of them.
# Exit 0 while this is so; 1 when it changed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install -q "uuid7==0.1.0" "uuid6==2025.0.1" "uuid-utils==1.2.0"
cat > identifiers.py <<'END'
from datetime import UTC, datetime, timedelta
from unittest.mock import patch

import uuid6
import uuid_utils
from uuid_extensions import uuid7

noon = datetime(2026, 3, 1, 12, tzinfo=UTC)
later = noon + timedelta(minutes=30)
first = uuid7(ns=int(noon.timestamp()) * 10**9)
with patch("time.time_ns", return_value=int(later.timestamp()) * 10**9):
    second = uuid6.uuid7()


def read(identifier):
    moment = datetime.fromtimestamp(uuid_utils.UUID(str(identifier)).timestamp / 1000, UTC)
    return f"version {identifier.version}, {moment:%Y-%m-%d}"


print("made first:", str(first)[:18], read(first))
print("made second:", str(second)[:13], read(second))
print("sorted by time:", str(first) < str(second))
END
venv/bin/python identifiers.py > seen
cat seen
cat > wanted <<'END'
made first: 069a42a4-0000-7000 version 7, 2200-01-18
made second: 019ca960-8140 version 7, 2026-03-01
sorted by time: False
END
cmp -s seen wanted || { echo "changed: wanted as above in the script"; exit 1; }
echo "as stated: an event of 2026 sorts as one of 2200"
