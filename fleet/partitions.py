"""Which partition a key belongs to: Kafka's own rule, as every client of it has.

aiokafka's hash works byte by byte and costs more than building the record (docs/decisions/0091); this one
takes words. A test holds it to aiokafka's for any key.
"""

import random
import struct

_SEED, _MULTIPLIER, _32_BITS, _31_BITS = 0x9747B28C, 0x5BD1E995, 0xFFFFFFFF, 0x7FFFFFFF


def partition_of(key: bytes | None, count: int) -> int:
    """The partition of `count` for a key; any for no key."""
    return random.randrange(count) if key is None else (murmur2(key) & _31_BITS) % count


def murmur2(data: bytes) -> int:
    """MurmurHash2 with Kafka's seed, 32 bits."""
    words = len(data) >> 2
    state = _SEED ^ len(data)
    for word in struct.unpack_from(f"<{words}I", data):
        mixed = word * _MULTIPLIER & _32_BITS
        state = (state * _MULTIPLIER & _32_BITS) ^ ((mixed ^ mixed >> 24) * _MULTIPLIER & _32_BITS)
    if tail := data[words * 4 :]:
        state = (state ^ int.from_bytes(tail, "little")) * _MULTIPLIER & _32_BITS
    state = (state ^ state >> 13) * _MULTIPLIER & _32_BITS
    return state ^ state >> 15
