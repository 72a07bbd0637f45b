"""Kafka's record format of version 2: a batch's header, and records read from a stream and written again."""

import secrets
import struct
from collections.abc import Callable, Iterator
from hashlib import sha256
from typing import Final, NamedTuple

import orjson
from aiokafka.record.util import calc_crc32c, encode_varint

from fleet.codecs import Damaged
from fleet.envelope import Cut

VALUE_BYTES_MAX: Final = 1_000_000
KEY_BYTES_MAX: Final = 65_536
HEADERS_BYTES_MAX: Final = 65_536
KEPT_BYTES: Final = 65_536  # of a key or value that is too large
UNPACKED_BYTES_MAX: Final = 2**32  # of one batch: what is behind it is not looked for
HEADER: Final = struct.Struct(">qiibIhiqqqhii")
START: Final = struct.Struct(">qiib")  # what all versions of the format begin with
LOG_BYTES: Final = 12  # base offset and length, which the length does not count
CRC_FROM: Final = 21
CODEC, CONTROL = 0x07, 0x20


MARK: Final = f"hobbs-{secrets.token_hex(16)}"  # the header of a record that is not what was published


def mark(cut: Cut) -> tuple[bytes, bytes]:
    """The header that no publisher can know: this record is cut, or empty, and why."""
    return MARK.encode(), orjson.dumps([cut.reason, cut.sentence, cut.size, cut.digest.hex()])


def cut_of(header: bytes) -> Cut:
    """What the header MARK says."""
    reason, sentence, size, digest = orjson.loads(header)
    return Cut(reason, sentence, size, bytes.fromhex(digest))


class Nonsense(Exception):
    """A record contradicts its own length."""


class Header(NamedTuple):
    base: int
    length: int
    epoch: int
    magic: int
    crc: int
    attributes: int
    delta: int
    first_timestamp: int
    max_timestamp: int
    producer_id: int
    producer_epoch: int
    sequence: int
    records: int

    @property
    def codec(self) -> int:
        return self.attributes & CODEC


class Entry(NamedTuple):
    """A record to be written."""

    offset: int
    timestamp_delta: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[bytes, bytes | None], ...]


def read_entry(stream: "Stream", header: Header, ends: int, wanted: int) -> Entry:
    stream.take(1)  # attributes that no version uses
    timestamp_delta, offset = stream.varint(), header.base + stream.varint()
    is_wanted = offset >= wanted
    key, key_size, _ = _field(stream, ends, KEY_BYTES_MAX, is_wanted)
    value, size, digest = _field(stream, ends, VALUE_BYTES_MAX, is_wanted)
    headers, whole = _headers(stream, ends)
    if stream.read > ends:
        raise Nonsense("it is longer than it says")
    problems = []
    if size > VALUE_BYTES_MAX:
        problems.append(f"the record has {size} bytes; the limit is {VALUE_BYTES_MAX}")
    if key_size > KEY_BYTES_MAX:
        problems.append(f"its key has {key_size} bytes; the limit is {KEY_BYTES_MAX}")
    if not whole:
        problems.append(f"its headers have more than {HEADERS_BYTES_MAX} bytes")
    if problems:
        cut = Cut("oversized", "; ".join(problems), size, digest or sha256(value or b"").digest())
        headers = (*headers, mark(cut))
    return Entry(offset, timestamp_delta, key, value, headers)


def _field(stream: "Stream", ends: int, most: int, wanted: bool) -> tuple[bytes | None, int, bytes]:
    """A key or value, or its beginning if larger than `most`; its size; the hash of the whole if cut."""
    size = stream.varint()
    if size < 0:
        return None, 0, b""
    if size > ends - stream.read:
        raise Nonsense("a part of it is longer than the whole")
    if not wanted:
        stream.skip(size)
        return b"", 0, b""
    if size <= most:
        return stream.take(size), size, b""
    digest = sha256()
    beginning = stream.take(KEPT_BYTES)
    digest.update(beginning)
    stream.skip(size - KEPT_BYTES, digest.update)
    return beginning, size, digest.digest()


def _headers(stream: "Stream", ends: int) -> tuple[tuple[tuple[bytes, bytes | None], ...], bool]:
    """The headers, and whether all were kept."""
    count, whole, held = stream.varint(), True, 0
    if count < 0 or count > ends - stream.read:
        raise Nonsense("it has no such number of headers")
    kept: list[tuple[bytes, bytes | None]] = []
    for _ in range(count):
        parts: list[bytes | None] = []
        for _ in range(2):
            size = stream.varint()
            if size > ends - stream.read:
                raise Nonsense("a header is longer than the record")
            held += max(size, 0) + 8
            if held > HEADERS_BYTES_MAX:
                stream.skip(max(size, 0))
                whole = False
                continue
            parts.append(stream.take(size) if size >= 0 else None)
        if len(parts) == 2:
            kept.append((_utf8(parts[0]), parts[1]))
    return tuple(kept), whole


def _utf8(name: bytes | None) -> bytes:
    return (name or b"").decode("utf-8", "backslashreplace").encode()


class Stream:
    """Bytes that come in pieces."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._held = b""
        self._at = 0
        self.read = 0

    def take(self, size: int) -> bytes:
        """The next bytes, so many. Raises Damaged when there are fewer."""
        while len(self._held) - self._at < size:
            self._more()
        taken = self._held[self._at : self._at + size]
        self._at += size
        self.read += size
        return taken

    def skip(self, size: int, see: Callable[[bytes], None] | None = None) -> None:
        """Go past so many bytes, in pieces that `see` is shown."""
        if size < 0:
            raise Damaged("a record is longer than it says")
        while size:
            if self._at == len(self._held):
                self._more()
            step = min(size, len(self._held) - self._at)
            if see:
                see(self._held[self._at : self._at + step])
            self._at += step
            self.read += step
            size -= step

    def varint(self) -> int:
        """A number in Kafka's zigzag form."""
        value = shift = 0
        while True:
            byte = self.take(1)[0]
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return (value >> 1) ^ -(value & 1)
            shift += 7
            if shift > 63:
                raise Damaged("a number in it has no end")

    def told(self) -> bytes:
        """Where this is, for the hash of a record whose bytes are not kept."""
        return str(self.read).encode()

    def _more(self) -> None:
        if self.read > UNPACKED_BYTES_MAX:
            raise Damaged(f"the batch unpacks to more than {UNPACKED_BYTES_MAX} bytes")
        try:
            piece = next(self._pieces)
        except StopIteration:
            raise Damaged("the batch ends too soon") from None
        self._held = self._held[self._at :] + piece
        self._at = 0


def encode_records(header: Header, entries: list[Entry], next_offset: int) -> bytes:
    body = bytearray()
    for entry in entries:
        body += _entry_bytes(header.base, entry)
    made = header._replace(delta=next_offset - header.base - 1, records=len(entries))
    return encode(made, bytes(body))


def encode(header: Header, body: bytes) -> bytes:
    """A batch without compression, with its length and checksum."""
    made = header._replace(
        magic=2, length=HEADER.size - LOG_BYTES + len(body), attributes=header.attributes & ~CODEC
    )
    checked = HEADER.pack(*made)[CRC_FROM:] + body
    return HEADER.pack(*made._replace(crc=calc_crc32c(checked)))[:CRC_FROM] + checked


def _entry_bytes(base: int, entry: Entry) -> bytes:
    body = bytearray(1)
    encode_varint(entry.timestamp_delta, body.append)
    encode_varint(entry.offset - base, body.append)
    for part in (entry.key, entry.value):
        _put(body, part)
    encode_varint(len(entry.headers), body.append)
    for name, value in entry.headers:
        _put(body, name)
        _put(body, value)
    whole = bytearray()
    encode_varint(len(body), whole.append)
    return bytes(whole + body)


def _put(body: bytearray, part: bytes | None) -> None:
    encode_varint(-1 if part is None else len(part), body.append)
    body += part or b""
