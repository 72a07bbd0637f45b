"""Business dates: what is signed off stands, each date that ended is compared once, and quiet days count."""

from datetime import UTC, date, datetime, timedelta

import pytest
from prometheus_client import REGISTRY
from sqlalchemy.exc import IntegrityError

from fleet.database import Database
from schemas.decisions import DecisionTaken
from services.reserves import handlers
from services.reserves.app import reconcile_days
from services.reserves.desk.decisions import ACTIONS
from services.reserves.settings import ReservesSettings
from tests.integration.reserves.comparisons import (
    DAY,
    compared,
    given,
    journal,
    line,
    published,
)
from tests.support.decisions import answered, decision
from tests.support.invariants import broken_invariants

SETTINGS = ReservesSettings(database_url="postgresql://unused", kafka_bootstrap="unused:9092")
NEXT = DAY + timedelta(days=1)


async def signed(db: Database, day: date, *, why: str = "looked at every break") -> DecisionTaken:
    return await answered(db, ACTIONS, decision("reserves", "sign", str(day), {}, who="ann", why=why))


async def a_compared_day(db: Database) -> None:
    await given(db, line("t1", 485, fee=15), journal("charge:src_t1", 500), journal("charge-fee:t1", -15))
    await compared(db)


async def test_what_becomes_known_after_a_signature_counts_on_the_next_day(db: Database) -> None:
    await a_compared_day(db)
    assert (await signed(db, DAY)).outcome == "done"
    before = await compared(db)
    await given(db, line("late", 300), journal("charge:src_late", 300))
    assert await compared(db) == before
    after = await compared(db, NEXT)
    assert (after.stripe_opening, after.stripe_moved, after.books_moved) == (485, 300, 300)
    assert await broken_invariants(db) == {}


async def test_a_row_of_a_signed_day_that_changes_counts_its_difference_on_the_next(db: Database) -> None:
    await a_compared_day(db)
    await signed(db, DAY)
    await given(db, line("t1", 480, fee=20, version=2))
    assert (await compared(db)).stripe_closing == 485
    after = await compared(db, NEXT)
    assert (after.stripe_closing, after.books_closing, after.unexplained) == (480, 485, 0)
    assert await broken_invariants(db) == {}


async def test_a_signature_is_given_once_with_a_reason_and_of_what_is_over(db: Database) -> None:
    await a_compared_day(db)
    assert (await signed(db, DAY, why=" ")).outcome == "refused"
    assert (await signed(db, datetime.now(UTC).date())).outcome == "refused"
    assert (await signed(db, DAY)).outcome == "done"
    assert (await signed(db, DAY)).outcome == "refused"
    assert (await signed(db, DAY - timedelta(days=1))).outcome == "refused"
    assert (await signed(db, NEXT)).outcome == "done"


async def test_the_database_keeps_what_was_signed(db: Database) -> None:
    await a_compared_day(db)
    await signed(db, DAY)
    for statement in (
        "UPDATE day SET completed_at = now()",
        "UPDATE day_total SET stripe = stripe + 1",
        "UPDATE school SET frozen_until = NULL",
        "UPDATE school SET frozen_until = frozen_until + 1",
    ):
        with pytest.raises(IntegrityError, match="signed"):
            async with db.transaction() as tx:
                await tx.execute(statement)


async def test_each_date_that_ended_is_compared_once_and_after_days_of_rest_all_of_them(db: Database) -> None:
    now = datetime.now(UTC)
    await given(db, line("t1", 500, at=now - timedelta(days=4)))
    settings = SETTINGS
    await reconcile_days(db, settings)
    ended = await compared_dates(db)
    assert len(ended) == 1
    async with db.transaction() as tx:
        await tx.execute("UPDATE timer SET last_run = last_run - 3 WHERE name = 'reconcile'")
    await reconcile_days(db, settings)
    assert await compared_dates(db) == [ended[0] - timedelta(days=n) for n in (2, 1, 0)]
    told = len(await published(db, "reconciliation.completed"))
    await reconcile_days(db, settings)
    assert len(await published(db, "reconciliation.completed")) == told == 3


async def test_a_quiet_school_is_compared_too(db: Database) -> None:
    """Nothing moved, so no date has a row; the comparison was made all the same."""
    async with db.transaction() as tx:
        await tx.execute("UPDATE comparison SET completed_at = now() - interval '40 hours'")
    await handlers.measure_reconciliation(db)
    assert age() > 39 * 3600
    await reconcile_days(db, SETTINGS)
    assert await compared_dates(db) == []
    await handlers.measure_reconciliation(db)
    assert age() < 60


def age() -> float:
    return REGISTRY.get_sample_value("reserves_comparison_age_seconds") or 0.0


async def compared_dates(db: Database) -> list[date]:
    async with db.transaction() as tx:
        return [row.day for row in await tx.all("SELECT business_date AS day FROM day ORDER BY 1")]
