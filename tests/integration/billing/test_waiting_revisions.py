"""Revisions that come before their turn: they wait, are seen waiting, and apply in their order."""

import asyncio
from collections.abc import Awaitable
from contextvars import Context
from itertools import permutations
from typing import Any

import asyncpg
import pytest
from prometheus_client import REGISTRY

from fleet.database import Database
from fleet.envelope import Record
from services.billing.handlers import apply_waiting, configure_school, correct_flights
from tests.conftest import OpenDatabase
from tests.integration.billing.given import (
    cancelled,
    completed,
    configured,
    corrected,
    events,
    given_billed,
    given_cancelled,
    given_corrected,
    given_school,
    letters,
    rows,
    solo,
    staged,
)
from tests.integration.billing.revised import HANDLERS, SHORTER, bills, redrive, revised, take, waiting


@pytest.mark.parametrize("order", list(permutations(range(4))))
async def test_revisions_are_applied_in_their_order_whatever_order_they_come_in(
    open_db: OpenDatabase, order: tuple[int, ...]
) -> None:
    db = open_db("billing")
    await given_school(db)
    records = [completed(), corrected(2, **SHORTER), cancelled(3), corrected(4, dual_hours="1.4")]
    for place in order:
        await take(db, records[place])
    assert [kind for _, _, kind in await bills(db)] == ["completed", "corrected", "cancelled", "corrected"]
    assert [(revision, kind) for revision, kind, _ in await revised(db)] == [
        (2, "corrected"),
        (3, "cancelled"),
        (4, "corrected"),
    ]
    assert (await waiting(db), await letters(db)) == ([], [])


async def test_a_whole_batch_may_come_before_its_flights_and_in_reverse(open_db: OpenDatabase) -> None:
    db = open_db("billing")
    await given_school(db)
    await given_corrected(db, *(corrected(n) for n in range(6, 1, -1)))
    assert [revision for revision, _, _ in await waiting(db)] == [2, 3, 4, 5, 6]
    await given_billed(db, completed())
    assert [revision for revision, _, _ in await bills(db)] == [1, 2, 3, 4, 5, 6]
    assert await waiting(db) == []


async def test_a_correction_before_its_flight_waits_where_people_see_it(open_db: OpenDatabase) -> None:
    db = open_db("billing")
    await given_school(db)
    await given_corrected(db, corrected(2))
    assert await waiting(db) == [(2, "corrected", None)]
    assert (await bills(db), await staged(db)) == ([], [])


async def test_a_gap_waits_for_the_missing_revision(open_db: OpenDatabase) -> None:
    db = open_db("billing")
    await given_school(db)
    await take(db, completed(), corrected(3, **SHORTER), cancelled(4))
    assert await waiting(db) == [(3, "corrected", 1), (4, "cancelled", 1)]
    await given_corrected(db, corrected(2))
    assert [revision for revision, _, _ in await bills(db)] == [1, 2, 3, 4]
    assert await waiting(db) == []


async def test_other_content_is_noticed_while_the_first_waits(open_db: OpenDatabase) -> None:
    db = open_db("billing")
    await given_school(db)
    await given_corrected(db, corrected(2), corrected(2), corrected(2, dual_hours="1.4"))
    await given_cancelled(db, cancelled(2))
    assert [reason for _, reason in await letters(db)] == ["waits_with_other_content"] * 2
    await given_billed(db, completed())
    assert [(revision, kind) for revision, _, kind in await bills(db)] == [(1, "completed"), (2, "corrected")]


async def test_the_revision_after_a_refused_one_does_not_wait_in_vain(open_db: OpenDatabase) -> None:
    db = open_db("billing")
    await given_school(db)
    await take(db, completed(), corrected(3, **SHORTER), corrected(2, student="nobody"))
    assert await revised(db) == [(3, "corrected", -27424)]
    assert await waiting(db) == []


async def test_a_redriven_correction_is_applied_before_those_that_wait_for_it(open_db: OpenDatabase) -> None:
    db = open_db("billing")
    await given_school(db)
    late = corrected(2, student="student-02", priced_by="book")
    await take(db, completed(), late)
    await configure_school(db, [configured(2, [{"kind": "student", "key": "student-02", "new": {}}])])
    await redrive(db)
    await given_corrected(db, corrected(3, **SHORTER))
    assert await waiting(db) == [(3, "corrected", 1)]
    await given_corrected(db, late)
    assert [revision for revision, _, _ in await revised(db)] == [2, 3]


async def test_a_correction_that_misses_its_flight_by_a_moment_is_applied_by_the_timer(
    open_db: OpenDatabase,
) -> None:
    """Neither transaction sees the other's rows: the flight finds no correction, the correction no flight."""
    db, other = open_db("billing"), open_db("billing")
    await given_school(db)
    await unseen(db, completed(), other, corrected(2, **SHORTER))
    assert await waiting(db) == [(2, "corrected", 1)]
    await apply_waiting(db)
    assert await revised(db) == [(2, "corrected", -27424)]
    assert await waiting(db) == []


async def test_two_revisions_that_miss_each_other_are_applied_by_the_timer(open_db: OpenDatabase) -> None:
    db, other = open_db("billing"), open_db("billing")
    await given_school(db)
    await given_billed(db, completed())
    await unseen(db, corrected(2, **SHORTER), other, cancelled(3))
    assert await waiting(db) == [(3, "cancelled", 2)]
    await apply_waiting(db)
    assert await revised(db) == [(2, "corrected", -27424), (3, "cancelled", 0)]


async def unseen(db: Database, first: Record, other: Database, second: Record) -> None:
    """`second` is handled and committed while what `first` did is written and not committed."""
    async with db.transaction() as tx:
        held = _Held(tx)
        await HANDLERS[first.topic](held, [first])  # type: ignore[arg-type]
        task = asyncio.create_task(_coroutine(HANDLERS[second.topic](other, [second])), context=Context())
        await task


async def _coroutine(work: Awaitable[None]) -> None:
    await work


class _Held:
    """A database whose transactions are all the one that is open: its owner commits."""

    def __init__(self, tx: Any) -> None:
        self._tx = tx

    def transaction(self) -> "_Held":
        return self

    async def __aenter__(self) -> Any:
        return self._tx

    async def __aexit__(self, *error: object) -> None:
        return None


async def test_two_processes_that_apply_one_revision_tell_of_it_once(open_db: OpenDatabase) -> None:
    db, other = open_db("billing"), open_db("billing")
    await given_school(db)
    await given_billed(db, *(solo(n, "1.0", "2.0") for n in range(20)))
    mine = [corrected(2, flight_id=f"S{n:04d}") for n in range(20)]
    theirs = [corrected(2, flight_id=f"S{n:04d}") for n in reversed(range(20))]
    await asyncio.gather(correct_flights(db, mine), correct_flights(other, theirs))
    assert len(await events(db, "flight.revised")) == 20
    assert await letters(db) == []


async def test_the_timer_leaves_a_true_gap_alone_and_says_how_long_it_waits(open_db: OpenDatabase) -> None:
    db = open_db("billing")
    await given_school(db)
    await take(db, completed(), corrected(3), corrected(2, flight_id="F9"))
    await apply_waiting(db)
    assert [revision for revision, _, _ in await waiting(db)] == [2, 3]
    assert REGISTRY.get_sample_value("billing_revisions_waiting") == 2
    assert REGISTRY.get_sample_value("billing_revision_waiting_age_seconds") is not None


async def test_a_record_that_waited_and_can_be_read_no_more_is_a_dead_letter(
    open_db: OpenDatabase, database_url: str
) -> None:
    db = open_db("billing")
    await given_school(db)
    await given_corrected(db, corrected(2), corrected(3, **SHORTER))
    owner = await asyncpg.connect(database_url, server_settings={"search_path": "billing"})
    await owner.execute("UPDATE waiting_revision SET value = '{}' WHERE revision = 2")
    await owner.close()
    await given_billed(db, completed())
    assert [reason for _, reason in await letters(db)] == ["invalid"]
    assert await waiting(db) == [(3, "corrected", 1)]
    await given_corrected(db, corrected(2))
    assert [revision for revision, _, _ in await revised(db)] == [2, 3]


async def test_a_correction_that_waited_keeps_its_chain_of_causes(open_db: OpenDatabase) -> None:
    db = open_db("billing")
    await given_school(db)
    early = corrected(2)
    await given_corrected(db, early)
    await given_billed(db, completed())
    (told,) = await rows(db, "SELECT correlation_id FROM outbox WHERE topic = 'flight.revised'")
    assert told["correlation_id"] == early.headers["ce_id"]
