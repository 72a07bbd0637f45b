"""Unpacks what Kafka's producers compress, piece by piece: a small batch may hold gigabytes.

aiokafka unpacks a batch as a whole. Here no piece is larger than PIECE_BYTES, or than a block of the codec.
"""

import struct
import zlib
from collections.abc import Iterator
from typing import Final

import cramjam
import lz4.frame
import zstandard

NAMES: Final = {0: "none", 1: "gzip", 2: "snappy", 3: "lz4", 4: "zstd"}
PIECE_BYTES: Final = 2**18
# A raw block of snappy is unpacked as a whole; a copy of 3 bytes makes at most 64.
SNAPPY_GROWTH_MAX: Final = 32
ZSTD_WINDOW_BYTES_MAX: Final = 2**27  # what the largest level of zstd needs, and Kafka's own clients take
_XERIAL: Final = b"\x82SNAPPY\x00"
_XERIAL_HEADER_BYTES: Final = 16


class Damaged(Exception):
    """What cannot be unpacked; the text is for people and shows no data."""


def unpack(codec: int, packed: bytes) -> Iterator[bytes]:
    """The unpacked bytes in pieces. Raises Damaged where they end too soon or make no sense."""
    try:
        yield from _UNPACKERS[codec](packed)
    except KeyError:
        raise Damaged(f"Kafka's codec number {codec} is not known") from None
    except (zlib.error, EOFError, RuntimeError, zstandard.ZstdError, cramjam.DecompressionError) as error:
        raise Damaged(f"its {NAMES[codec]} cannot be unpacked ({type(error).__name__})") from None


def _as_it_is(packed: bytes) -> Iterator[bytes]:
    yield packed


def _gzip(packed: bytes) -> Iterator[bytes]:
    while packed:
        member = zlib.decompressobj(wbits=31)
        while not member.eof:
            piece = member.decompress(packed, PIECE_BYTES)
            packed = member.unconsumed_tail
            if piece:
                yield piece
            elif not packed and not member.eof:
                raise EOFError
        packed = member.unused_data


def _snappy(packed: bytes) -> Iterator[bytes]:
    if not packed.startswith(_XERIAL):
        yield _snappy_block(packed)
        return
    at = _XERIAL_HEADER_BYTES
    while at < len(packed):
        if len(packed) - at < 4:
            raise EOFError
        (size,) = struct.unpack_from(">i", packed, at)
        at += 4
        if not 0 < size <= len(packed) - at:
            raise EOFError
        yield _snappy_block(packed[at : at + size])
        at += size


def _snappy_block(block: bytes) -> bytes:
    if cramjam.snappy.decompress_raw_len(block) > SNAPPY_GROWTH_MAX * max(len(block), 64):
        raise EOFError  # it claims more than its bytes can make
    return bytes(cramjam.snappy.decompress_raw(block))


def _lz4(packed: bytes) -> Iterator[bytes]:
    while packed:
        frame = lz4.frame.LZ4FrameDecompressor()
        while not frame.eof:
            piece = frame.decompress(packed, max_length=PIECE_BYTES)
            packed = b""
            if piece:
                yield piece
            elif not frame.eof:
                raise EOFError
        packed = frame.unused_data or b""


def _zstd(packed: bytes) -> Iterator[bytes]:
    unpacker = zstandard.ZstdDecompressor(max_window_size=ZSTD_WINDOW_BYTES_MAX)
    with unpacker.stream_reader(packed, read_across_frames=True) as reader:
        while piece := reader.read(PIECE_BYTES):
            yield piece


_UNPACKERS = {0: _as_it_is, 1: _gzip, 2: _snappy, 3: _lz4, 4: _zstd}
