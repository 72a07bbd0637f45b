"""Each crossing of a limit is said once, whatever moved it and however often it is read."""

import asyncio
import json
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from fleet.database import Database
from services.receivables import handlers, steps
from tests.conftest import OpenDatabase
from tests.integration.billing.given import rows
from tests.integration.ops.conftest import Hobbs
from tests.integration.receivables.credits import a_school, book, owes
from tests.integration.receivables.stories import charge, dispute, webhook
from tests.integration.receivables.test_dispatches import HELD, School, dispatched
from tests.integration.receivables.test_open_items import bill, pay, posts, taken


@pytest.fixture
async def ledger(open_db: OpenDatabase, db: Database) -> Database:
    await handlers.follow_book(db, [a_school(limit=50_000)])
    return open_db("ledger")


async def said(db: Database) -> list[tuple[int, str, str, int]]:
    """Number, crossing, new level and what was posted, of everything that was said of anna."""
    found = await rows(db, "SELECT value FROM outbox WHERE topic = 'credit.level_changed' ORDER BY id")
    events = [orjson.loads(row["value"]) for row in found]
    return [(e["number"], e["crossing"], e["to_level"], e["posted"]) for e in events]


async def test_each_crossing_is_said_once_and_kept(db: Database, ledger: Database, hobbs: Hobbs) -> None:
    announced: list[Any] = []
    for asked in (bill("F1", 40_000), bill("F2", 1), bill("F2b", 7_499), bill("F3", 2_501), pay("1", 50_001)):
        announced += await posts(ledger, asked)
        await taken(db, announced)  # what was read before comes again
        await asyncio.gather(handlers.tell_levels(db), handlers.tell_levels(db))
    assert await said(db) == [
        (1, "near", "near", -40_000),
        (2, "close", "close", -47_500),
        (3, "exceeded", "exceeded", -50_001),
        (4, "recovered", "ok", 0),
    ]
    told = await rows(db, "SELECT value FROM outbox WHERE topic = 'notification.requested'")
    assert len(told) == 4
    shown = await hobbs("credit", "show", "anna")
    assert (shown.exit_code, "exceeded" in shown.stdout) == (0, True)
    listed = await hobbs("credit", "crossings", "anna", "-o", "json")
    assert [row["to_level"] for row in json.loads(listed.stdout)] == ["ok", "exceeded", "close", "near"]


async def test_what_crosses_and_comes_back_unseen_is_not_said(db: Database, ledger: Database) -> None:
    await taken(db, await posts(ledger, bill("F1", 60_000), pay("1", 60_000)))
    await handlers.tell_levels(db)
    assert await said(db) == []


async def test_a_hold_is_a_crossing_too(db: Database, open_db: OpenDatabase) -> None:
    await handlers.follow_book(db, [a_school(limit=HELD)])
    await handlers.tell_levels(db)
    school = School(open_db, db)
    await school.say(dispatched())
    await handlers.tell_levels(db)
    assert await said(db) == [(1, "close", "close", 0)]


async def test_a_disputed_payment_is_a_crossing_before_the_ledger_moves(
    db: Database, ledger: Database
) -> None:
    await handlers.take_stripe_events(db, [webhook("charge.succeeded", charge())])
    await handlers.follow_book(db, [book(2, ("credit_limit", "anna", "2026-01-01", {"limit": 10_000}))])
    await handlers.tell_levels(db)
    await handlers.take_stripe_events(db, [webhook("charge.dispute.created", dispute())])
    await handlers.tell_levels(db)
    assert [one[1] for one in await said(db)] == ["exceeded"]


async def test_a_day_of_the_book_is_a_crossing(db: Database, ledger: Database) -> None:
    own = {"limit": 90_000, "until": "2026-06-10"}
    await handlers.follow_book(db, [book(2, ("credit_limit", "anna", "2026-06-01", own))])
    await owes(ledger, 60_000)
    for day in (9, 11):
        async with db.transaction() as tx:
            await steps.credit_levels.tell(tx, 500, datetime(2026, 6, day, 16, tzinfo=UTC))
    assert await said(db) == [(1, "exceeded", "exceeded", -60_000)]


async def test_a_new_limit_is_a_crossing_in_whatever_parts_students_are_looked_at(
    db: Database, ledger: Database
) -> None:
    for student in ("anna", "ben", "carl"):
        await owes(ledger, 45_000, student=student, source=f"flight:{student}:1")
    await handlers.tell_levels(db, most=1)
    await handlers.follow_book(db, [book(2, ("credit", "credit", "2026-01-01", {"limit": 100_000}))])
    await handlers.tell_levels(db, most=2)
    assert [one[:3] for one in await said(db)] == [(1, "near", "near")] * 3 + [(2, "recovered", "ok")] * 3
