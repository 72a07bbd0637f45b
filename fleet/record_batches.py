"""Makes a fetched message set readable for aiokafka, whatever a publisher, a broker or a disk put into it.

aiokafka unpacks batches while it hands out records, and raises in the middle: records of other partitions are
then lost. So each batch is tried before aiokafka sees it, and what it could not read takes another form:

* a record that is too large keeps its beginning, its size and its hash;
* a record or batch that nobody can read becomes one empty record at each of its offsets, which says why;
* a batch that unpacks to much is handed out in parts.

Such a record carries a header that no publisher can know, and becomes a dead letter. Where even a batch's end
is unknown, nothing is handed out, and the fault says why.
"""

import struct
from hashlib import sha256
from typing import Final, NamedTuple

from aiokafka.record.control_record import ControlRecord
from aiokafka.record.default_records import DefaultRecordBatch
from aiokafka.record.legacy_records import LegacyRecordBatch
from aiokafka.record.util import calc_crc32c

from fleet import codecs
from fleet.codecs import Damaged
from fleet.envelope import Cut
from fleet.record_format import (
    CODEC,
    CONTROL,
    CRC_FROM,
    HEADER,
    HEADERS_BYTES_MAX,
    KEPT_BYTES,
    KEY_BYTES_MAX,
    LOG_BYTES,
    START,
    VALUE_BYTES_MAX,
    Entry,
    Header,
    Nonsense,
    Stream,
    encode,
    encode_records,
    mark,
    read_entry,
)

PART_BYTES: Final = 2**23  # what is unpacked of a partition at once
QUICK_BYTES: Final = 2**18  # what is unpacked of a batch while the event loop waits
OFFSETS_MAX: Final = 100_000  # a damaged batch that claims more is not believed
_HELD_BYTES: Final = 2**21  # a record up to here is held whole while it is read
_MARKER_BYTES_MAX: Final = 128
_ABORT, _NO_MARKER = b"\x00\x00\x00\x00", b"\x00\x00\x00\x63"  # keys of control records: what a marker says


class Readable(NamedTuple):
    """A message set that aiokafka can read; `fault` says why nothing of it can be handed out."""

    data: bytes
    fault: str | None = None


class _Batch(NamedTuple):
    """One batch as it came; `start` is the first offset to be handed out, `follows` the next batch's."""

    raw: bytes
    base: int
    magic: int
    wanted: int
    start: int
    follows: int | None
    end: int  # of the partition


class _Part(NamedTuple):
    data: bytes
    next_offset: int
    whole: bool = True


class TakesLong(Exception):
    """To unpack it may keep others waiting."""


class _Unknown(Exception):
    """Nobody can tell where the batch ends."""


def make_readable(data: bytes, *, wanted: int, end: int, quickly: bool = False) -> Readable:
    """The same records as aiokafka can read them, from offset `wanted` on; `end` is the partition's.

    Not all of them: what is left out is fetched again from where this ends. `quickly`: raises TakesLong where
    a compressed batch unpacks to more than QUICK_BYTES, or is not sound.
    """
    parts: list[bytes] = []
    at, room = 0, PART_BYTES
    while at < len(data) and room > 0:
        raw = _raw_batch(data, at)
        if raw is None:
            return Readable(
                b"".join(parts), None if parts else f"offset {wanted}: a batch's length is damaged"
            )
        batch = _batch(raw, data, at, wanted, end)
        try:
            part = _readable(batch, room, quickly)
        except _Unknown as unknown:
            why = f"offset {wanted}: {unknown}, and where the batch ends cannot be told"
            return Readable(b"".join(parts), None if parts else why)
        parts.append(part.data)
        if not part.whole:
            break
        room -= len(part.data)
        at += len(raw)
        wanted = max(wanted, part.next_offset)
    return Readable(b"".join(parts))


def _raw_batch(data: bytes, at: int) -> bytes | None:
    if len(data) - at < START.size:
        return None
    length = START.unpack_from(data, at)[1]
    if length < START.size - LOG_BYTES or at + LOG_BYTES + length > len(data):
        return None
    return data[at : at + LOG_BYTES + length]


def _batch(raw: bytes, data: bytes, at: int, wanted: int, end: int) -> _Batch:
    base, _, _, magic = START.unpack_from(raw)
    after = _raw_batch(data, at + len(raw))
    follows = START.unpack_from(after)[0] if after else None
    believed = follows if follows is not None and wanted < follows <= end else None
    start = base if wanted <= base < end else wanted
    return _Batch(raw, base, magic, wanted, start, believed, end)


def _readable(batch: _Batch, room: int, quickly: bool) -> _Part:
    if batch.magic in (0, 1):
        if quickly and _legacy_codec(batch.raw):
            raise TakesLong
        return _legacy(batch)
    if batch.magic != 2 or len(batch.raw) < HEADER.size:
        raise_why = f"a batch of version {batch.magic}, which is not known"
        return _unreadable(batch, None, raise_why)
    header = Header._make(HEADER.unpack_from(batch.raw))
    if calc_crc32c(batch.raw[CRC_FROM:]) != header.crc:
        return _unreadable(batch, header, "its checksum is wrong")
    rebased = _rebased(batch, header)
    if rebased is None:
        return _unreadable(batch, None, "its offset is wrong")
    header, raw = rebased
    next_offset = header.base + header.delta + 1
    if header.attributes & CONTROL:
        return _Part(raw if _is_marker(raw) else _marker(header, _NO_MARKER, next_offset), next_offset)
    if header.codec not in codecs.NAMES:
        return _unreadable(batch, header, f"Kafka's codec number {header.codec} is not known")
    plain = _plain(raw, header, QUICK_BYTES if quickly else PART_BYTES)
    if plain is not None and _is_sound(plain, header):
        return _Part(plain, next_offset)
    if quickly and header.codec:
        raise TakesLong
    return _salvaged(batch, header, room)


def _rebased(batch: _Batch, header: Header) -> tuple[Header, bytes] | None:
    """The batch with a plausible offset, which its checksum does not cover; None when that cannot be told."""
    most = batch.end if batch.follows is None else batch.follows
    next_offset = header.base + header.delta + 1
    if header.delta >= 0 and batch.wanted < next_offset <= (
        batch.end if header.base <= batch.wanted else most
    ):
        return header, batch.raw
    if batch.wanted + header.delta + 1 != most:
        return None
    return header._replace(base=batch.wanted), struct.pack(">q", batch.wanted) + batch.raw[8:]


def _plain(raw: bytes, header: Header, most: int) -> bytes | None:
    """The batch without compression; None when that is more than `most` bytes, or cannot be had."""
    if not header.codec:
        return raw
    pieces, size = [], 0
    try:
        for piece in codecs.unpack(header.codec, raw[HEADER.size :]):
            pieces.append(piece)
            size += len(piece)
            if size > most:
                return None
    except Damaged:
        return None
    return encode(header, b"".join(pieces))


def _is_sound(raw: bytes, header: Header) -> bool:
    """Whether aiokafka reads the batch to its end, with as many records as it says, none too large."""
    count, last = 0, header.base - 1
    try:
        for record in DefaultRecordBatch(raw):
            if not last < record.offset <= header.base + header.delta:
                return False
            if len(raw) > KEPT_BYTES and _is_large(record.key, record.value, record.headers):
                return False
            last = record.offset
            count += 1
    except Exception:  # whatever the client raises here, it would raise in the middle of a fetch
        return False
    return count == header.records


def _is_large(key: bytes | None, value: bytes | None, headers: list[tuple[str, bytes | None]]) -> bool:
    of_headers = sum(len(name) * 4 + len(held or b"") for name, held in headers)
    return (
        len(value or b"") > VALUE_BYTES_MAX
        or len(key or b"") > KEY_BYTES_MAX
        or of_headers > HEADERS_BYTES_MAX
    )


def _legacy(batch: _Batch) -> _Part:
    """A batch of the format before Kafka 0.11: handed out as it is, or not at all."""
    try:
        if not batch.wanted <= batch.base < batch.end:
            raise Damaged("its offset is wrong")
        packed = _legacy_codec(batch.raw)
        if packed and sum(map(len, codecs.unpack(packed, _legacy_value(batch)))) > PART_BYTES:
            raise Damaged("it unpacks to too much")
        records = LegacyRecordBatch(batch.raw, batch.magic)
        if not records.validate_crc():
            raise Damaged("its checksum is wrong")
        for record in records:
            if _is_large(record.key, record.value, []):
                raise Damaged("a record in it is too large")
        return _Part(batch.raw, batch.base + 1)
    except Exception as error:  # as above
        why = str(error) if isinstance(error, Damaged) else "its old format cannot be read"
        return _unreadable(batch, None, why)


def _legacy_codec(raw: bytes) -> int:
    return raw[17] & CODEC if len(raw) > START.size else 0


def _legacy_value(batch: _Batch) -> bytes:
    at = 18 if batch.magic == 0 else 26
    (key,) = struct.unpack_from(">i", batch.raw, at)
    return batch.raw[at + 4 + max(key, 0) + 4 :]


def _unreadable(batch: _Batch, header: Header | None, why: str) -> _Part:
    """One empty record for each offset of the batch. Raises _Unknown when nobody knows how many those are."""
    believed = header if header and _is_believed(header, batch) else None
    if believed:
        next_offset = believed.base + believed.delta + 1
    elif batch.follows is not None:
        next_offset = batch.follows
    elif batch.magic in (0, 1) and batch.start <= batch.base < batch.end:
        next_offset = batch.base + 1
    else:
        raise _Unknown(why)
    if next_offset - batch.start > OFFSETS_MAX:
        raise _Unknown(why)
    made, first = believed or _nobodys(batch), b""
    if believed and believed.attributes & CONTROL and len(batch.raw) <= _MARKER_BYTES_MAX:
        # It may have ended a transaction: without it later records would count as aborted.
        first = _marker(believed, _ABORT, believed.base)
    sentence = f"{why}; the batch has {len(batch.raw)} bytes and offsets {batch.start} to {next_offset - 1}"
    if believed:
        sentence += f", compression {codecs.NAMES.get(believed.codec, believed.codec)}"
    records = [_empty(made, offset, sentence, batch.raw) for offset in range(batch.start, next_offset)]
    made = made._replace(attributes=made.attributes & ~CONTROL)
    return _Part(first + encode_records(made, records, next_offset), next_offset)


def _is_believed(header: Header, batch: _Batch) -> bool:
    """Whether a batch that may be damaged says plausibly which offsets it holds."""
    next_offset = header.base + header.delta + 1
    most = batch.end if batch.follows is None else batch.follows
    return (
        0 <= header.delta < OFFSETS_MAX
        and 0 < header.records <= header.delta + 1
        and batch.start < next_offset <= most
    )


def _nobodys(batch: _Batch) -> Header:
    return Header(batch.start, 0, -1, 2, 0, 0, 0, 0, 0, -1, -1, -1, 0)


def _is_marker(raw: bytes) -> bool:
    """Whether aiokafka can read what a control batch says; compaction may leave an empty one."""
    try:
        ControlRecord.parse(next(iter(DefaultRecordBatch(raw))).key)
        return True
    except Exception:  # as in _is_sound
        return False


def _marker(header: Header, says: bytes, next_offset: int) -> bytes:
    return encode_records(header, [Entry(header.base, 0, says, bytes(6), ())], next_offset)


def _empty(header: Header, offset: int, sentence: str, raw: bytes) -> Entry:
    cut = Cut("unreadable", sentence, None, sha256(raw + offset.to_bytes(8, "big")).digest())
    return Entry(offset, 0, None, None, (mark(cut),))


def _salvaged(batch: _Batch, header: Header, room: int) -> _Part:
    """The records that are wanted, one by one, until `room` bytes are kept or the batch ends."""
    stream = Stream(codecs.unpack(header.codec, batch.raw[HEADER.size :]))
    last, kept = header.base - 1, 0
    final = header.base + max(header.delta, 0)
    entries: list[Entry] = []
    why = ""
    for _ in range(header.records):
        if kept >= room:
            return _Part(encode_records(header, entries, last + 1), last + 1, whole=False)
        try:
            entry = _next_entry(stream, header, batch.start, last)
        except Damaged as damaged:
            why = str(damaged)
            break
        last = max(last + 1, entry.offset)
        if last > final:
            why, last = "a record's offset is damaged", last - 1
            break
        if entry.offset >= batch.start:
            entries.append(entry)
            kept += sum(len(part or b"") for part in (entry.key, entry.value)) + 100
    if why:
        sentence = (
            f"{why}; offsets {last + 1} to {final} of a batch of {len(batch.raw)} bytes are lost with it"
        )
        lost = range(max(last + 1, batch.start), min(final, last + OFFSETS_MAX) + 1)
        entries += [_empty(header, offset, sentence, batch.raw) for offset in lost]
    return _Part(encode_records(header, entries, final + 1), final + 1)


def _next_entry(stream: "Stream", header: Header, wanted: int, last: int) -> Entry:
    """The next record; one that makes no sense inside its own length becomes an empty one."""
    length = stream.varint()
    if not 0 < length < 2**31:
        raise Damaged("a record's length is damaged")
    told, held = stream.told(), length <= _HELD_BYTES
    if held:  # what is wrong in it stays in it
        stream = Stream(iter([stream.take(length)]))
    ends = stream.read + length
    try:
        entry = read_entry(stream, header, ends, wanted)
        if stream.read != ends:
            raise Nonsense("its length is wrong")
    except (Nonsense, Damaged) as error:
        if not held:
            stream.skip(ends - stream.read)
        return _empty(header, last + 1, f"the record makes no sense: {error}", told)
    return entry
