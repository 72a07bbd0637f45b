"""Batches as publishers, brokers and disks make them: packed, damaged, of unknown kinds."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from aiokafka.consumer.fetcher import READ_COMMITTED, PartitionRecords
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.memory_records import MemoryRecords
from aiokafka.record.util import calc_crc32c
from aiokafka.structs import ConsumerRecord, TopicPartition

from fleet.record_batches import make_readable

CODECS: Final = {"none": 0, "gzip": 1, "snappy": 2, "lz4": 3, "zstd": 4}
PLACE: Final = TopicPartition("t", 0)
ATTRIBUTES_AT, CRC_AT, CRC_FROM, BODY_AT = 21, 17, 21, 61

Headers = list[tuple[str, bytes | None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A record to be put into a batch."""

    value: bytes | None
    key: bytes | None = b"k"
    headers: Headers = field(default_factory=list)


def batch(
    values: Sequence[bytes | Sent | None], *, base: int = 0, codec: str = "none", producer: int = -1
) -> bytes:
    """A batch as a producer makes it; with a `producer` it belongs to a transaction."""
    builder = DefaultRecordBatchBuilder(2, CODECS[codec], producer >= 0, producer, 0, 0, 2**31 - 1)
    for number, value in enumerate(values):
        sent = value if isinstance(value, Sent) else Sent(value=value)
        builder.append(number, 1_700_000_000_000, sent.key, sent.value, sent.headers)
    made = bytearray(builder.build())
    struct.pack_into(">q", made, 0, base)
    return bytes(made)


def marker(*, base: int, producer: int, commits: bool) -> bytes:
    """The control batch that ends a transaction."""
    builder = DefaultRecordBatchBuilder(2, 0, True, producer, 0, 0, 1024)
    builder.append(0, 0, struct.pack(">HH", 0, int(commits)), bytes(6), [])
    made = bytearray(builder.build())
    struct.pack_into(">q", made, 0, base)
    return with_attributes(bytes(made), 0x30)


def with_attributes(made: bytes, attributes: int) -> bytes:
    changed = bytearray(made)
    struct.pack_into(">h", changed, ATTRIBUTES_AT, attributes)
    return checked(changed)


def with_body(made: bytes, body: bytes) -> bytes:
    """The same header over another body: its length and checksum are right."""
    changed = bytearray(made[:BODY_AT] + body)
    struct.pack_into(">i", changed, 8, len(changed) - 12)
    return checked(changed)


def checked(changed: bytearray) -> bytes:
    struct.pack_into(">I", changed, CRC_AT, calc_crc32c(bytes(changed[CRC_FROM:])))
    return bytes(changed)


def flipped(made: bytes, at: int) -> bytes:
    """The same with one byte changed, as a disk does it."""
    changed = bytearray(made)
    changed[at] ^= 0xFF
    return bytes(changed)


@dataclass(slots=True)
class Log:
    """A partition's batches, and what reading them to the end hands out."""

    batches: list[bytes]
    bases: list[int] | None = None  # where the broker's index knows them to be, if not what they say
    aborted: list[tuple[int, int]] = field(default_factory=list)
    fetches: int = 0
    fault: str | None = None
    largest: int = 0

    def read(self, *, end: int) -> list["ConsumerRecord[bytes, bytes]"]:
        """Every record that aiokafka hands out, fetch by fetch, as a broker would answer them."""
        records: list[ConsumerRecord[bytes, bytes]] = []
        position = 0
        while position < end:
            made = make_readable(self._answer(position), wanted=position, end=end)
            self.fetches += 1
            self.largest = max(self.largest, len(made.data))
            if made.fault:
                self.fault = made.fault
                break
            unpacked = PartitionRecords(
                PLACE,
                MemoryRecords(made.data),
                list(self.aborted),
                position,
                None,
                None,
                True,
                READ_COMMITTED,
            )
            records += list(unpacked)
            assert unpacked.next_fetch_offset > position, "a fetch went nowhere"
            position = unpacked.next_fetch_offset
        return records

    def _answer(self, position: int) -> bytes:
        """A broker begins with the batch that holds the position."""
        bases = self.bases or [struct.unpack_from(">q", made)[0] for made in self.batches]
        first = max((n for n, base in enumerate(bases) if base <= position), default=0)
        return b"".join(self.batches[first:])
