"""Whatever is in a partition: every offset is handed out once, as it was published or with a reason."""

import struct
from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Any

import pytest

from fleet.codecs import NAMES
from fleet.envelope import Cut
from fleet.record_batches import PART_BYTES, QUICK_BYTES, TakesLong, make_readable
from fleet.record_format import KEPT_BYTES, MARK, VALUE_BYTES_MAX, cut_of
from tests.support.batches import (
    ATTRIBUTES_AT,
    BODY_AT,
    CODECS,
    Log,
    Sent,
    batch,
    flipped,
    marker,
    with_attributes,
    with_body,
)

GOOD = b'{"flight_id": "F1"}'
PACKED = [name for name in CODECS if name != "none"]


def cut(record: Any) -> Cut | None:
    return next((cut_of(value) for name, value in record.headers if name == MARK), None)


def shown(records: Iterable[Any]) -> list[tuple[int, bytes | str | None]]:
    """(offset, the value, or the reason it has none) of each record."""
    return [(r.offset, one.reason if (one := cut(r)) else r.value) for r in records]


def read(batches: Sequence[bytes], end: int, **more: Any) -> list[tuple[int, bytes | str | None]]:
    return shown(Log(list(batches), **more).read(end=end))


def test_our_codecs_are_kafkas() -> None:
    assert {name: number for number, name in NAMES.items()} == CODECS


@pytest.mark.parametrize("codec", PACKED)
def test_a_reader_in_a_hurry_is_told_of_what_takes_long(codec: str) -> None:
    usual, large = batch([GOOD] * 3, codec=codec), batch([b"x" * QUICK_BYTES], codec=codec)
    assert make_readable(usual, wanted=0, end=3, quickly=True) == make_readable(usual, wanted=0, end=3)
    for slow in (large, with_body(usual, b"damaged")):
        with pytest.raises(TakesLong):
            make_readable(slow, wanted=0, end=3, quickly=True)


@pytest.mark.parametrize("magic", [0, 1])
def test_a_batch_that_ends_where_its_head_does_is_nobodys_to_read(magic: int) -> None:
    raw = struct.pack(">qiib", 0, 5, 0, magic)
    assert make_readable(raw, wanted=0, end=1, quickly=True) == make_readable(raw, wanted=0, end=1)
    assert read([raw], end=1)[0][0] == 0


@pytest.mark.parametrize("codec", CODECS)
def test_a_good_batch_is_handed_out_as_it_was_published(codec: str) -> None:
    headers = [("a", b"1"), ("nothing", None), ("é", b"\xff")]
    sent: list[bytes | Sent | None] = [
        Sent(value=GOOD * 50, headers=headers),
        None,
        Sent(value=b"", key=None),
        b"x" * 70_000,
    ]
    records = Log([batch(sent, codec=codec), batch([GOOD], base=4)]).read(end=5)
    assert [r.value for r in records] == [GOOD * 50, None, b"", b"x" * 70_000, GOOD]
    assert [r.key for r in records] == [b"k", b"k", None, b"k", b"k"]
    assert records[0].headers == tuple(headers)
    assert [r.offset for r in records] == [0, 1, 2, 3, 4]
    assert {r.timestamp for r in records} == {1_700_000_000_000}


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("size", [VALUE_BYTES_MAX + 1, 3 * PART_BYTES])
def test_of_a_record_that_is_too_large_the_beginning_the_size_and_the_hash_are_kept(
    codec: str, size: int
) -> None:
    huge = b"y" * size
    log = Log([batch([GOOD, huge, GOOD], codec=codec), batch([GOOD], base=3)])
    records = log.read(end=4)
    assert shown(records) == [(0, GOOD), (1, "oversized"), (2, GOOD), (3, GOOD)]
    assert records[1].value == huge[:KEPT_BYTES]
    assert records[1].key == b"k"
    one = cut(records[1])
    assert one is not None
    assert (one.size, one.digest) == (size, sha256(huge).digest())
    assert one.sentence == f"the record has {size} bytes; the limit is {VALUE_BYTES_MAX}"
    assert log.largest < VALUE_BYTES_MAX


@pytest.mark.parametrize("codec", ["none", "gzip", "zstd"])
def test_keys_and_headers_have_limits_too(codec: str) -> None:
    sent: list[bytes | Sent | None] = [
        Sent(value=GOOD, key=b"k" * 300_000),
        Sent(value=GOOD, headers=[("h", b"v" * 300_000), ("small", b"1")]),
        Sent(value=GOOD, headers=[(f"h{n}", b"v") for n in range(20_000)]),
        Sent(value=GOOD, headers=[("n" * 100_000, b"v")]),
        GOOD,
    ]
    records = Log([batch(sent, codec=codec)]).read(end=5)
    assert shown(records) == [*((n, "oversized") for n in range(4)), (4, GOOD)]
    assert all(len(r.key) <= KEPT_BYTES for r in records)
    assert sum(len(n) + len(v or b"") for r in records for n, v in r.headers) < 3 * KEPT_BYTES
    assert [cut(r).digest for r in records[:4]] == [sha256(GOOD).digest()] * 4  # type: ignore[union-attr]


@pytest.mark.parametrize("codec", ["gzip", "lz4", "zstd"])
def test_a_batch_that_unpacks_to_much_is_handed_out_in_parts(codec: str) -> None:
    values = [bytes([n]) * 900_000 for n in range(30)]
    log = Log([batch(values, codec=codec), batch([GOOD], base=30)])
    assert [r.value for r in log.read(end=31)] == [*values, GOOD]
    assert log.fetches > 3
    assert log.largest < PART_BYTES + 2 * VALUE_BYTES_MAX


def test_a_codec_nobody_knows_makes_each_of_its_offsets_a_record_that_says_so() -> None:
    for number in (5, 6, 7):
        unknown = with_attributes(batch([GOOD] * 3, base=1), number)
        records = Log([batch([GOOD]), unknown, batch([GOOD], base=4)]).read(end=5)
        assert shown(records) == [(0, GOOD), *((n, "unreadable") for n in (1, 2, 3)), (4, GOOD)]
        one = cut(records[1])
        assert one is not None
        assert f"codec number {number} is not known" in one.sentence
        assert len({cut(r).digest for r in records[1:4]}) == 3  # type: ignore[union-attr]


@pytest.mark.parametrize("codec", PACKED)
def test_what_cannot_be_unpacked_costs_its_own_offsets_only(codec: str) -> None:
    whole = batch([GOOD * 9, GOOD * 9], base=1, codec=codec)
    body = whole[BODY_AT:]
    for broken in (b"", b"\x00" * 40, body[: len(body) // 2], b"\xff" * len(body)):
        damaged = with_body(whole, broken)
        found = read([batch([GOOD]), damaged, batch([GOOD], base=3)], 4)
        assert [n for n, _ in found] == [0, 1, 2, 3]
        assert found[0] == (0, GOOD)
        assert found[-1] == (3, GOOD)
        assert {what for _, what in found[1:3]} <= {"unreadable", GOOD * 9}
        assert "unreadable" in dict(found).values()


def test_a_flipped_byte_anywhere_loses_no_other_record() -> None:
    damaged = batch([GOOD, GOOD], base=1)
    for at in range(len(damaged)):
        log = Log([batch([GOOD]), flipped(damaged, at), batch([GOOD], base=3)], bases=[0, 1, 3])
        found = shown(log.read(end=4))
        assert found[0] == (0, GOOD), at
        if log.fault is None:
            assert [n for n, _ in found] == [0, 1, 2, 3], at
            assert found[-1] == (3, GOOD), at
            assert {what for _, what in found[1:3]} in ({"unreadable"}, {GOOD}), at
        else:
            assert len(found) == 1, at
            assert 8 <= at < 12, at  # its length: where the next batch begins is not known


@pytest.mark.parametrize("at", [16, CODECS["zstd"] + 60, ATTRIBUTES_AT])
def test_the_last_batch_of_a_partition_may_be_the_damaged_one(at: int) -> None:
    log = Log([batch([GOOD]), flipped(batch([GOOD, GOOD], base=1), at)])
    found = shown(log.read(end=3))
    if at == 16:  # a version nobody knows: nothing behind it says where it ends
        assert (found, log.fault) == (
            [(0, GOOD)],
            "offset 1: a batch of version -3, which is not known, and where the batch ends cannot be told",
        )
    else:
        assert found == [(0, GOOD), (1, "unreadable"), (2, "unreadable")]


def test_one_record_that_makes_no_sense_costs_only_itself() -> None:
    good = batch([GOOD, GOOD, GOOD])
    body = bytearray(good[BODY_AT:])
    length = body[0] // 2 + 1
    body[length + 4] = 0x7F  # the second record's key is longer than the record
    assert read([with_body(good, bytes(body))], 3) == [(0, GOOD), (1, "unreadable"), (2, GOOD)]


def test_a_header_name_that_is_no_text_is_kept_with_escapes() -> None:
    good = batch([Sent(value=GOOD, headers=[("abc", b"1")]), GOOD])
    bad = with_body(good, good[BODY_AT:].replace(b"abc", b"a\xffc"))
    records = Log([bad]).read(end=2)
    assert shown(records) == [(0, GOOD), (1, GOOD)]
    assert records[0].headers == (("a\\xffc", b"1"),)


def test_records_of_aborted_transactions_are_left_out_and_damage_between_ends_none_of_them() -> None:
    log = [
        batch([b"lost"], base=0, producer=7),
        flipped(marker(base=1, producer=7, commits=False), 70),
        batch([GOOD], base=2, producer=7, codec="zstd"),
        marker(base=3, producer=7, commits=True),
        batch([GOOD], base=4),
    ]
    assert read(log, 5, aborted=[(7, 0)]) == [(1, "unreadable"), (2, GOOD), (4, GOOD)]


def test_a_control_batch_that_says_nothing_known_is_passed_over() -> None:
    empty = with_body(marker(base=0, producer=7, commits=True), b"")
    empty = with_attributes(empty[:57] + struct.pack(">i", 0), 0x30)
    short = with_body(
        marker(base=1, producer=7, commits=True), batch([Sent(value=b"", key=b"\x00")])[BODY_AT:]
    )
    assert read([empty, short, batch([GOOD], base=2)], 3) == [(2, GOOD)]


def test_a_compacted_batch_without_records_is_passed_over() -> None:
    empty = with_body(batch([GOOD, GOOD]), b"")[:57] + struct.pack(">i", 0)
    assert read([with_attributes(empty, 0), batch([GOOD], base=2)], 3) == [(2, GOOD)]


def test_a_publisher_cannot_write_our_mark() -> None:
    assert len(MARK) > 32
    record = Sent(value=GOOD, headers=[("hobbs-" + "0" * 32, b"[]")])
    assert read([batch([record])], 1) == [(0, GOOD)]
