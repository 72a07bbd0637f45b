import asyncio
from collections.abc import Sequence
from hashlib import sha256
from typing import Any

import pytest
from sqlalchemy.exc import DBAPIError

from fleet import dead_letters
from fleet.database import Database, InsideTransaction, forbid_in_transaction
from fleet.dead_letters import discard, redrive, show
from fleet.envelope import Record, uuid7
from fleet.inbox import Unreadable, admit, bury_unreadable
from fleet.redrives import as_it_was, take
from tests.integration.fleet.sample import Thing, effects, letters, record_things
from tests.support.letters import open_letters
from tests.support.records import record


async def test_a_record_that_comes_twice_has_one_effect(database: Database) -> None:
    thing = record("thing.happened", Thing(name="a"))
    assert await record_things(database, [thing]) == 1
    assert await record_things(database, [thing, thing]) == 0
    assert await effects(database) == {"a": 1}


async def test_duplicates_inside_one_batch_have_one_effect(database: Database) -> None:
    thing = record("thing.happened", Thing(name="a"))
    assert await record_things(database, [thing, thing]) == 1
    assert await effects(database) == {"a": 1}


async def test_two_members_with_the_same_batch_have_one_effect_and_never_deadlock(database: Database) -> None:
    batch = [record("thing.happened", Thing(name=f"n{i}")) for i in range(200)]
    counts = await asyncio.gather(
        record_things(database, batch), record_things(database, list(reversed(batch)))
    )
    assert sorted(counts) == [0, 200]
    assert set((await effects(database)).values()) == {1}


async def test_without_an_id_the_natural_key_is_the_identity(database: Database) -> None:
    batch = [record("thing.happened", Thing(name="a"), ce_id="", ce_source="") for _ in range(2)]
    assert await record_things(database, batch) == 1


async def test_two_foreign_sources_may_use_the_same_id(database: Database) -> None:
    batch = [
        record("thing.happened", Thing(name="a"), ce_id="1", ce_source="left"),
        record("thing.happened", Thing(name="b"), ce_id="1", ce_source="right"),
    ]
    assert await record_things(database, batch) == 2


async def test_an_id_that_returns_with_another_content_becomes_a_dead_letter(database: Database) -> None:
    event_id = uuid7()
    await record_things(database, [record("thing.happened", Thing(name="a"), ce_id=event_id)])
    await record_things(database, [record("thing.happened", Thing(name="b"), ce_id=event_id)])
    assert await effects(database) == {"a": 1}
    assert await letters(database) == [("event_id_reused", "open", 1)]


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, "null_value"),
        (b"", "not_json"),
        (b"{", "not_json"),
        (b"\xff\xfe", "not_utf8"),
        (b"[]", "not_an_object"),
        (b"{}", "invalid"),
        (b'{"name": 5}', "invalid"),
        (b'{"name": "a\\u0000b"}', "nul_character"),
        (b'{"name": "\\ud800"}', "not_json"),
        (b'{"name": "' + b"x" * 1_000_000 + b'"}', "oversized"),
    ],
)
async def test_a_record_nobody_can_read_is_kept_and_the_rest_goes_on(
    database: Database, value: bytes | None, reason: str
) -> None:
    batch = [
        record("thing.happened", value, ce_id="", ce_source="", headers={"odd": "\ufffd"}),
        record("thing.happened", Thing(name="good")),
    ]
    assert await record_things(database, batch) == 1
    assert await letters(database) == [(reason, "open", 1)]
    await record_things(database, batch)  # a replay finds it kept
    assert await letters(database) == [(reason, "open", 1)]


async def test_a_repeat_that_a_later_rule_would_refuse_is_still_a_repeat(database: Database) -> None:
    """A topic is read again from its beginning by a release that has become stricter."""

    def stricter(record: Record) -> Thing:
        raise Unreadable("invalid", "no thing is good enough any more")

    thing, other = (record("thing.happened", Thing(name=name)) for name in "ab")
    await record_things(database, [thing])
    async with database.transaction() as tx:
        assert await admit(tx, [thing, other], stricter) == []
    assert await letters(database) == [("invalid", "open", 1)]
    assert await effects(database) == {"a": 1}


async def test_what_raises_after_admit_leaves_the_record_unread(database: Database) -> None:
    thing = record("thing.happened", Thing(name="a"))
    with pytest.raises(DBAPIError):
        await record_things(database, [thing, record("thing.happened", Thing(name="too long " * 2000))])
    assert await effects(database) == {}
    assert await record_things(database, [thing]) == 1


async def test_a_redriven_letter_is_read_again_and_opens_again_when_it_fails_again(
    database: Database,
) -> None:
    refused = record("thing.happened", Thing(name="a", refused=True))
    await record_things(database, [refused])
    async with database.transaction() as tx:
        (letter,) = await open_letters(tx)
        assert await redrive(tx, [letter.id], who="test") == [letter.id]
        assert await redrive(tx, [letter.id], who="test") == []
        staged = await tx.one("SELECT topic, value, raw_headers FROM outbox WHERE raw_headers IS NOT NULL")
    assert (staged.topic, staged.value) == ("sample.redrive", refused.value)
    back = as_it_was(record("sample.redrive", staged.value, offset=77, headers=staged.raw_headers))
    assert (back.topic, back.partition, back.offset) == (refused.topic, refused.partition, refused.offset)
    assert await record_things(database, [back]) == 1
    assert await letters(database) == [("refused", "open", 2)]


STRANGERS = [
    (b"other garbage", None, {}),  # another content
    (b"\xff garbage", "another key", {}),
    (b"\xff garbage", None, {"ce_time": "1999-01-01T00:00:00Z"}),
]


@pytest.mark.parametrize("state", ["open", "redriven"])
@pytest.mark.parametrize(("body", "key", "headers"), STRANGERS)
async def test_a_record_that_says_it_was_redriven_takes_no_other_letters_place(
    database: Database, body: bytes, key: str | None, headers: dict[str, str], state: str
) -> None:
    """Whoever may write to a topic may write the header of redriven records."""
    honest = record("thing.happened", b"\xff garbage", ce_id="", partition=3, offset=5)
    await record_things(database, [honest])
    async with database.transaction() as tx:
        (letter,) = await open_letters(tx)
        if state == "redriven":
            await redrive(tx, [letter.id], who="test")
        before = await show(tx, letter.id)
    claim = {"hobbs_redriven": "3:5", **headers}
    stranger = record("thing.happened", body, ce_id="", key=key, partition=4, offset=6, headers=claim)
    await record_things(database, [stranger])
    async with database.transaction() as tx:
        assert await show(tx, letter.id) == before
        rows = await tx.all("SELECT identity, state, value FROM dead_letter ORDER BY identity")
    assert [(row.identity, row.state, row.value) for row in rows] == [
        ("3:5", state, honest.value),
        ("4:6", "open", body),
    ]


async def test_the_record_that_was_redriven_opens_its_letter_again_and_once(database: Database) -> None:
    await record_things(
        database, [record("thing.happened", b"\xff garbage", ce_id="", partition=3, offset=5)]
    )
    async with database.transaction() as tx:
        (letter,) = await open_letters(tx)
        await redrive(tx, [letter.id], who="test")
        staged = await tx.one("SELECT value, raw_headers FROM outbox WHERE raw_headers IS NOT NULL")
    back = as_it_was(record("sample.redrive", staged.value, ce_id="", offset=8, headers=staged.raw_headers))
    for _ in range(2):  # the batch is read again
        await record_things(database, [back])
    assert await letters(database) == [("not_utf8", "open", 2)]
    async with database.transaction() as tx:
        await discard(tx, [letter.id], who="test", why="a test")
    await record_things(database, [back])  # the topic is read from its beginning
    assert await letters(database) == [("not_utf8", "discarded", 2)]


async def test_a_letter_that_comes_back_goes_to_the_handler_of_its_topic_and_no_other(
    database: Database,
) -> None:
    for name in "ab":
        await record_things(database, [record("thing.happened", Thing(name=name, refused=True))])
    async with database.transaction() as tx:
        await redrive(tx, [letter.id for letter in await open_letters(tx)], who="test")
        rows = await tx.all(
            "SELECT value, raw_headers FROM outbox WHERE topic = 'sample.redrive' ORDER BY id"
        )
    batch = [
        record("sample.redrive", row.value, offset=n, headers=row.raw_headers) for n, row in enumerate(rows)
    ]
    heard: list[list[str]] = []

    async def things(records: Sequence[Record]) -> None:
        heard.append([one.topic for one in records])
        await record_things(database, records)

    for _ in range(2):  # the batch is read again
        await take(database, {"thing.happened": things}, batch)
    assert heard == [["thing.happened"] * 2] * 2
    assert await letters(database) == [("refused", "open", 2)] * 2


@pytest.mark.parametrize("named", [{}, {"hobbs_redriven_topic": "unheard.of", "hobbs_redriven_place": "0:1"}])
async def test_a_letter_of_no_topic_that_the_service_reads_is_buried(
    database: Database, named: dict[str, str]
) -> None:
    stray = record("sample.redrive", Thing(name="a"), headers=named)
    await take(database, {}, [stray])
    assert [reason for reason, _, _ in await letters(database)] == ["no_such_topic"]


async def test_a_discarded_letter_keeps_its_reason_and_history(database: Database) -> None:
    await record_things(database, [record("thing.happened", Thing(name="a", refused=True))])
    async with database.transaction() as tx:
        (letter,) = await open_letters(tx)
        assert await discard(tx, [letter.id], who="finance", why="test flight") == [letter.id]
        assert await open_letters(tx) == []
        whole = await show(tx, letter.id)
    assert whole is not None
    assert [step["what"] for step in whole.history] == ["refused", "discarded"]
    assert whole.history[1]["why"] == "test flight"


async def test_nothing_slow_runs_inside_a_transaction(database: Database) -> None:
    async with database.transaction():
        with pytest.raises(InsideTransaction, match="a call to Stripe inside a database transaction"):
            forbid_in_transaction("a call to Stripe")
    forbid_in_transaction("a call to Stripe")


async def test_a_flood_of_others_garbage_keeps_places_once_the_table_is_full(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What our own services publish is kept whole, however full the table is."""
    problem = Unreadable("not_json", "the record is no JSON")

    async def buried(topic: str, body: bytes) -> Any:
        async with database.transaction() as tx:
            await bury_unreadable(tx, [record(topic, body, offset=len(body))], problem)
            rows = await tx.all("SELECT * FROM dead_letter ORDER BY id DESC LIMIT 1")
        return rows[0]

    assert (await buried("flight.completed", b"garbage")).value == b"garbage"
    monkeypatch.setattr(dead_letters, "FULL_BYTES", 1)
    kept = await buried("flight.completed", b"more garbage")
    assert (kept.key, kept.value, kept.offset) == (None, None, len(b"more garbage"))
    assert kept.payload_hash == sha256(b"more garbage").digest()
    assert "full" in kept.headers[dead_letters.CUT]
    assert (await buried("journal.requested", b"not ours?")).value == b"not ours?"
    async with database.transaction() as tx:
        assert await redrive(tx, [kept.id], who="ops") == []
