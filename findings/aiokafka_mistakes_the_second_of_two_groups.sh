#!/bin/sh
# aiokafka 0.14.0 (PyPI): the answer of a broker about two consumer groups, read by the class that aiokafka's own request names
# for it (`AIOKafkaAdminClient.describe_consumer_groups(["a", "b"])` does the same with Kafka 4.3.1).
# Guess: the newest DescribeGroups request that it sends, version 3, has its answer read as version 3.
# Seen: it is read as version 2, which knows no "authorized operations" behind each group. One group alone is read rightly; of
# two without members the second has no name and an error nobody sent; with members the connection is closed with a ValueError.
# Exit 0 while this is so; 1 when it changed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install -q "aiokafka==0.14.0"
cat > read.py <<'END'
from io import BytesIO

from aiokafka.protocol.admin import DescribeGroupsRequest_v3, DescribeGroupsResponse_v3


def answered(*groups):
    """What a broker sends in version 3: error, name, state, protocols, members, authorized operations."""
    return BytesIO(DescribeGroupsResponse_v3(0, list(groups)).encode())


def group(name, *members):
    state = ("Stable", "consumer", "range") if members else ("Dead", "", "")
    return (0, name, *state, list(members), -(2**31))


member = ("m-1", "client", "/127.0.0.1", b"", b"")
read = DescribeGroupsRequest_v3.RESPONSE_TYPE
print(read.__name__)
for groups in ([group("a", member)], [group("a"), group("b")], [group("a", member), group("b", member)]):
    try:
        print([(one[0], one[1], len(one[5])) for one in read.decode(answered(*groups)).groups])
    except ValueError as error:
        print(f"ValueError: {error}")
END
venv/bin/python read.py > seen
cat seen
cat > wanted <<'END'
DescribeGroupsResponse_v2
[(0, 'a', 1)]
[(0, 'a', 0), (-32768, '', 0)]
ValueError: Buffer underrun decoding string
END
cmp -s seen wanted || { echo "changed: wanted as above in the script"; exit 1; }
echo "as stated: of two groups the second is not read"
