"""Limits that rise and fall by the book's policy: found once, accepted by people, in force everywhere."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from fleet.database import Database
from fleet.envelope import Record
from fleet.zones import local_date
from schemas.journals import JournalRequested
from services.receivables import handlers, steps
from services.receivables.desk.decisions import ACTIONS
from services.receivables.desk.reads import limits
from tests.conftest import OpenDatabase
from tests.integration.billing.given import given_billed, rows, solo
from tests.integration.ops.conftest import Hobbs
from tests.integration.receivables.credits import SCHOOL, a_school, book, stands
from tests.integration.receivables.stories import charge, dispute, webhook
from tests.integration.receivables.test_open_items import bill, posts, taken
from tests.support.decisions import answered, decision
from tests.support.records import record

POLICY: dict[str, Any] = {
    "limit": 50_000,
    "allowed_by_one_up_to": 15_000,
    "raises": "proposed",
    "raise_by": 20_000,
    "raise_up_to": 100_000,
    "raise_after_months": 6,
    "raise_after_flights": 0,
    "falls": "automatic",
    "fall_by": 30_000,
    "fall_down_to": 10_000,
}
MAY = datetime(2026, 5, 22, 16, tzinfo=UTC)  # the day of the disputes in stories


def now() -> datetime:
    """Asked anew by each test: the school's day may change while the suite runs."""
    return datetime.now(UTC)


def tomorrow() -> datetime:
    return now() + timedelta(days=1)


def opening() -> Record:
    """A credit of anna's that other software kept, 200 days ago."""
    legs = [{"wallet": "student:anna", "amount": 100}, {"wallet": "external:opening", "amount": -100}]
    event = JournalRequested.model_validate(
        {
            "source": "opening:1",
            "event_type": "opening",
            "currency": "USD",
            "occurred_at": now() - timedelta(days=200),
            "entries": legs,
        }
    )
    return record("journal.requested", event, key=event.source)


@pytest.fixture
async def ledger(open_db: OpenDatabase, db: Database) -> Database:
    """Anna is known for half a year and nothing was late, so her limit may rise."""
    await handlers.follow_book(db, [a_school(**POLICY)])
    ledger = open_db("ledger")
    await taken(db, await posts(ledger, opening(), bill("F1", 100)))
    return ledger


async def look(db: Database, at: datetime | None = None) -> None:
    """Two processes look at once."""
    at = at or now()

    async def once() -> None:
        async with db.transaction() as tx:
            await steps.limit_changes.look(tx, 200, at)

    await asyncio.gather(once(), once())


async def changes(db: Database) -> list[tuple[int, int, int, str]]:
    found = await rows(db, "SELECT number, from_limit, to_limit, state FROM limit_change ORDER BY number")
    return [(row["number"], row["from_limit"], row["to_limit"], row["state"]) for row in found]


async def says(db: Database, action: str, *, who: str = "ann", why: str = "") -> str:
    async with db.transaction() as tx:
        newest = (await limits.changes(tx))[0]
    asked = decision("receivables", action, str(newest["id"]), who=who, why=why)
    answer = await answered(db, ACTIONS, asked)
    return f"{answer.outcome}: {answer.sentence}"


async def test_a_rise_is_proposed_once_and_stands_once_two_accepted_it(
    db: Database, ledger: Database, hobbs: Hobbs
) -> None:
    await look(db)
    await look(db, tomorrow())
    assert await changes(db) == [(1, 50_000, 70_000, "proposed")]
    shown = json.loads((await hobbs("credit", "proposals", "-o", "json")).stdout)
    assert ("6 months" in shown[0]["sentence"], shown[0]["evidence"]["flights"]) == (True, 0)
    assert "once another person accepts it too" in await says(db, "accept_limit")
    assert (await stands(db, at=now()))["credit_limit"] == 50_000
    assert "another person has to" in await says(db, "accept_limit", who=" ANN")
    assert "rises from 500.00 USD to 700.00 USD from" in await says(db, "accept_limit", who="bob")
    assert (await stands(db, at=now()))["credit_limit"] == 70_000
    assert "is in force" in await says(db, "refuse_limit", why="late")
    # The book's word comes after it.
    await handlers.follow_book(db, [book(3, ("credit_limit", "anna", "2026-01-01", {"limit": 60_000}))])
    assert (await stands(db, at=now()))["credit_limit"] == 60_000


async def test_what_was_proposed_before_the_book_gave_a_limit_of_their_own_is_not_accepted(
    db: Database, ledger: Database
) -> None:
    await look(db)
    await handlers.follow_book(db, [book(3, ("credit_limit", "anna", "2026-01-01", {"limit": 50_000}))])
    assert "what it was found by has changed" in await says(db, "accept_limit")
    await look(db, tomorrow())
    assert await changes(db) == [(1, 50_000, 70_000, "lapsed"), (2, 50_000, 70_000, "proposed")]
    await says(db, "accept_limit")
    assert (await says(db, "accept_limit", who="bob")).startswith("done")
    assert (await stands(db, at=tomorrow()))["credit_limit"] == 70_000


async def test_a_refused_rise_counts_anew(db: Database, ledger: Database) -> None:
    await look(db)
    assert (await says(db, "refuse_limit")).startswith("refused: refusing")
    assert (await says(db, "refuse_limit", why="leaves in May")).startswith("done")
    await look(db, tomorrow())
    assert await changes(db) == [(1, 50_000, 70_000, "refused")]


async def test_a_disputed_payment_lowers_the_limit_once(db: Database, ledger: Database) -> None:
    told = [webhook("charge.succeeded", charge()), webhook("charge.dispute.created", dispute())]
    await handlers.take_stripe_events(db, told)
    await look(db, MAY + timedelta(days=40))
    assert await changes(db) == []  # too long ago
    await look(db, MAY)
    await look(db, MAY + timedelta(hours=1))
    assert await changes(db) == [(1, 50_000, 20_000, "in_force")]
    assert (await stands(db, at=MAY))["credit_limit"] == 20_000
    assert (await stands(db, at=MAY - timedelta(days=1)))["credit_limit"] == 50_000


async def test_a_dispute_that_was_won_lowers_no_limit_any_more(db: Database, ledger: Database) -> None:
    by_hand = POLICY | {"falls": "proposed"}
    await handlers.follow_book(db, [book(2, ("credit", "credit", "2026-01-01", by_hand))])
    told = [webhook("charge.succeeded", charge()), webhook("charge.dispute.created", dispute())]
    await handlers.take_stripe_events(db, told)
    await look(db, MAY)
    assert await changes(db) == [(1, 50_000, 20_000, "proposed")]
    won = webhook("charge.dispute.closed", dispute(status="won"))
    await handlers.take_stripe_events(db, [won])
    assert "what it was found by has changed" in await says(db, "accept_limit")
    await look(db, MAY + timedelta(days=1))
    await handlers.follow_book(db, [book(3, ("credit", "credit", "2026-01-01", POLICY))])
    await look(db, MAY + timedelta(days=2))
    assert await changes(db) == [(1, 50_000, 20_000, "lapsed")]


async def test_flights_that_were_billed_elsewhere_count(
    db: Database, ledger: Database, open_db: OpenDatabase
) -> None:
    await handlers.follow_book(
        db, [book(2, ("credit", "credit", "2026-01-01", POLICY | {"raise_after_flights": 2}))]
    )
    await look(db)
    assert await changes(db) == []
    billing = open_db("billing")
    old = {"billed_by": "Old Planner", "student": "anna"}
    await given_billed(billing, solo(1, "1.0", "2.0", **old), solo(2, "2.0", "3.0", **old))
    await look(db, tomorrow())
    assert await changes(db) == [(1, 50_000, 70_000, "proposed")]


async def test_without_a_policy_what_was_proposed_lapses(db: Database, ledger: Database) -> None:
    await look(db)
    await handlers.follow_book(db, [book(2, ("credit", "credit", "2026-01-01", {"limit": 50_000}))])
    await look(db)
    assert await changes(db) == [(1, 50_000, 70_000, "lapsed")]


async def test_a_bill_that_was_open_too_long_was_late_until_it_was_paid(
    db: Database, ledger: Database
) -> None:
    await taken(db, await posts(ledger, bill("F2", 300)))
    today = local_date(now(), SCHOOL["time_zone"])
    for days, late_after, late in ((7, 7, False), (8, 7, True), (1, 0, True)):
        [row] = await rows(
            db,
            "SELECT receivables_public.late_until(:day, :after, 'anna', 'USD') AS until",
            day=today + timedelta(days=days),
            after=late_after,
        )
        assert (row["until"] is not None) == late, days
