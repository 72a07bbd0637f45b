"""Reverts, groups, and previews of both."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import asyncpg
import pytest

from fleet.database import Database
from fleet.envelope import Record
from schemas.journals import GroupRequested, JournalRequested, RevertRequested
from services.ledger import steps, wire
from services.ledger.domain.journals import Journal, JournalRequest, PostedJournal, RefusedJournal
from services.ledger.handlers import post_groups, revert_journals
from tests.integration.ledger.books import (
    FLIGHT,
    NOON,
    Told,
    ask,
    balances,
    journals,
    letters,
    only,
    requested,
    told,
)
from tests.integration.ledger.test_concurrency import until_waiting
from tests.support.records import record


def undo(source: str = "flight:F1:1", memo: str = "", at: datetime = NOON) -> Record:
    event = RevertRequested(reverts=source, occurred_at=at, memo=memo)
    return record(wire.reverts.REQUESTED, event, key=source)


def group(*members: Record, name: str = "move:1") -> Record:
    bodies = [JournalRequested.model_validate_json(member.value or b"") for member in members]
    return record(wire.groups.REQUESTED, GroupRequested(group=name, journals=bodies), key=name)


async def reverted(ledger: Database, *records: Record) -> list[Told]:
    before = len(await told(ledger))
    await revert_journals(ledger, records)
    return (await told(ledger))[before:]


async def grouped(ledger: Database, *records: Record) -> list[Told]:
    before = len(await told(ledger))
    await post_groups(ledger, records)
    return (await told(ledger))[before:]


async def test_a_revert_takes_back_every_entry_and_is_linked(ledger: Database) -> None:
    [posted] = await ask(ledger, requested())
    [revert] = await reverted(ledger, undo(memo="wrong student"))
    assert revert.key == f"revert:{posted.body['journal_id']}"
    assert [(e["wallet"], e["amount"]) for e in revert.body["entries"]] == [(w, -a) for w, a in FLIGHT]
    assert await balances(ledger) == {}
    async with ledger.transaction() as tx:
        link = await tx.one("SELECT * FROM ledger_public.reverts")
    assert (link.source, link.reverted_source) == (revert.key, "flight:F1:1")


async def test_a_journal_is_reverted_once_and_the_second_time_is_answered_by_the_first(
    ledger: Database,
) -> None:
    await ask(ledger, requested())
    first = await reverted(ledger, undo())
    assert await reverted(ledger, undo(), undo()) == first * 2
    assert len(await journals(ledger)) == 2
    assert await balances(ledger) == {}


@pytest.mark.parametrize("closed_until", [None, NOON + timedelta(days=2)])
async def test_a_second_revert_is_answered_by_the_first_whenever_it_is_dated(
    ledger: Database, owner: asyncpg.Connection, closed_until: datetime | None
) -> None:
    await ask(ledger, requested())
    if closed_until:
        await owner.execute("SELECT close_period($1)", closed_until)
    later = [undo(at=NOON + timedelta(days=day)) for day in range(1, 4)]
    first = await reverted(ledger, undo(), later[0])
    assert first == first[:1] * 2
    assert await reverted(ledger, later[1], later[2]) == first
    assert await letters(ledger) == []
    assert await balances(ledger) == {}


async def test_of_two_who_revert_at_once_the_second_is_answered_by_the_first(
    ledger: Database, owner: asyncpg.Connection
) -> None:
    await ask(ledger, requested())
    async with owner.transaction():
        await owner.execute("SELECT revert_journal('flight:F1:1', 'by hand', '2026-05-01')")
        asking = asyncio.create_task(reverted(ledger, undo()))
        await until_waiting(owner)
    by_hand, reply = await asking  # the one by hand is announced too, as the same event
    assert by_hand == reply
    assert reply.topic == "journal.posted"
    assert await letters(ledger) == []
    assert await balances(ledger) == {}


async def test_a_revert_can_be_reverted_once(ledger: Database) -> None:
    await ask(ledger, requested())
    [first] = await reverted(ledger, undo())
    second = await reverted(ledger, undo(first.key))
    assert await balances(ledger) == dict(FLIGHT)
    assert await reverted(ledger, undo(first.key)) == second
    assert await balances(ledger) == dict(FLIGHT)


async def test_what_is_not_posted_cannot_be_reverted(ledger: Database) -> None:
    told_ = await reverted(ledger, undo("flight:F9:1"))
    assert only(told_, "journal.refused").body["reason"] == "unknown_journal"
    assert await letters(ledger) == [("unknown_journal", "flight:F9:1")]


async def test_a_dba_reverts_by_the_same_journal(ledger: Database, owner: asyncpg.Connection) -> None:
    await ask(ledger, requested())
    await owner.execute("SET ROLE hobbs_ledger")
    once: UUID = await owner.fetchval("SELECT revert_journal('flight:F1:1', 'by hand')")
    assert await owner.fetchval("SELECT revert_journal('flight:F1:1')") == once
    assert await balances(ledger) == {}
    with pytest.raises(asyncpg.CheckViolationError, match="there is no journal flight:F2:1 to revert"):
        await owner.execute("SELECT revert_journal('flight:F2:1')")


async def test_a_link_between_strangers_is_refused(ledger: Database, owner: asyncpg.Connection) -> None:
    await ask(ledger, requested("flight:F1:1"), requested("flight:F2:1"))
    with pytest.raises(asyncpg.CheckViolationError, match="does not take back"):
        await owner.execute(
            "INSERT INTO revert SELECT a.id, b.id FROM journal a, journal b"
            " WHERE a.source = 'flight:F1:1' AND b.source = 'flight:F2:1'"
        )


@pytest.mark.parametrize("table", ["revert", "journal_group"])
async def test_nobody_unlinks_journals(ledger: Database, owner: asyncpg.Connection, table: str) -> None:
    with pytest.raises(asyncpg.CheckViolationError, match="append-only"):
        await owner.execute(f"TRUNCATE {table}")


async def test_a_group_is_posted_together(ledger: Database) -> None:
    events = await grouped(ledger, group(requested("flight:F1:1"), requested("flight:F2:1")))
    assert [event.topic for event in events] == ["journal.posted"] * 2
    async with ledger.transaction() as tx:
        rows = await tx.all("SELECT source FROM ledger_public.journal_groups WHERE name = 'move:1'")
    assert sorted(row.source for row in rows) == ["flight:F1:1", "flight:F2:1"]


async def test_a_group_with_one_refused_posts_nothing_and_names_the_one_to_blame(ledger: Database) -> None:
    bad = requested("flight:BAD:1", (("student:s-1", -100), ("platform:school", 99)))
    events = await grouped(
        ledger,
        group(requested("flight:F1:1"), bad, requested("flight:F2:1")),
        group(requested("flight:F3:1"), name="move:2"),
    )
    refused = {event.key: event.body["reason"] for event in events if event.topic == "journal.refused"}
    assert refused == {
        "flight:F1:1": "group_refused",
        "flight:BAD:1": "not_balanced",
        "flight:F2:1": "group_refused",
    }
    assert await letters(ledger) == [("not_balanced", "group:move:1")]
    assert await journals(ledger) == ["flight:F3:1"]


async def test_a_group_again_is_answered_by_its_journals_and_its_name_is_taken(ledger: Database) -> None:
    members = (requested("flight:F1:1"), requested("flight:F2:1"))
    first = await grouped(ledger, group(*members))
    assert await grouped(ledger, group(*members)) == first
    other = await grouped(ledger, group(requested("flight:F3:1")))
    assert only(other, "journal.refused").body["reason"] == "group_reused"
    assert await journals(ledger) == ["flight:F1:1", "flight:F2:1"]


def plain(*records: Record) -> Sequence[JournalRequest]:
    return [
        wire.journals.request_of(JournalRequested.model_validate_json(one.value or b""), None)
        for one in records
    ]


async def test_a_preview_says_what_posting_would_and_writes_nothing(ledger: Database) -> None:
    await ask(ledger, requested("flight:F1:1"))
    before = await told(ledger)
    asked = plain(
        requested("flight:F1:1"),
        requested("flight:F1:1", (("student:s-1", -1), ("platform:school", 1))),
        requested("flight:F2:1", (("student:new", -7), ("platform:school", 7))),
        requested("flight:F3:1"),
        requested("flight:F4:1", ()),
    )
    async with ledger.transaction() as tx:
        preview = await steps.preview.preview(tx, asked)
        assert await tx.all("SELECT 1 FROM wallet WHERE address = 'student:new'") == []
    kinds = [type(result) for result in preview.results]
    assert kinds == [PostedJournal, RefusedJournal, Journal, Journal, RefusedJournal]
    assert preview.balances["platform:school", "USD"] == 40 + 7 + 40
    assert await told(ledger) == before
    async with ledger.transaction() as tx:
        await steps.posting.post(tx, asked)
    after = await balances(ledger)
    assert {wallet: amount for (wallet, _), amount in preview.balances.items()} == after


async def test_a_preview_waits_for_nobody(ledger: Database, owner: asyncpg.Connection) -> None:
    await ask(ledger, requested("flight:F1:1"))
    async with owner.transaction():
        await owner.execute("SELECT FROM lock_balances('{platform:school}', '{USD}')")
        async with ledger.transaction() as tx:
            preview = await steps.preview.preview(tx, plain(requested("flight:F2:1")))
    assert preview.balances["platform:school", "USD"] == 80
