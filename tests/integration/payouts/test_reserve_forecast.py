"""The forecast of the reserve, from what reserves and payouts publish to people."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from fleet.database import Database
from fleet.envelope import Record
from schemas.school import SchoolAccepted, SchoolChange
from services.reserves import handlers, metrics
from services.reserves.app import look_ahead as look_ahead_and_keep
from services.reserves.desk.reads.forecast import Looked, WhatIf, look_ahead, past, period_ends
from services.reserves.domain.forecast import HOURS
from tests.integration.payouts.test_reserve_gate import RESERVE, SCHOOL, Reserve
from tests.integration.payouts.world import World
from tests.integration.reserves.comparisons import line
from tests.support.databases import service_url
from tests.support.records import record
from tests.support.reserves import balance_read


@pytest.fixture
async def reserves(owner_url: str) -> AsyncIterator[Database]:
    """Reserves beside payouts; only this file uses it in the folder's database."""
    database = Database(service_url(owner_url, "reserves"), schema="reserves", pool_size=2)
    yield database
    await database.close()


@pytest.fixture
async def operator(owner_url: str) -> AsyncIterator[Database]:
    database = Database(service_url(owner_url, "operator"), schema="public", pool_size=2)
    yield database
    await database.close()


def book(changes: list[SchoolChange]) -> Record:
    event = SchoolAccepted(
        version=1, base_version=0, who="finance", why="test", at=datetime.now(UTC), changes=changes
    )
    return record("school.accepted", event, key="school")


async def looked(operator: Database, now: datetime, **asked: object) -> Looked:
    async with operator.transaction() as tx:
        await tx.execute("SET LOCAL ROLE hobbs_reader")
        found = await look_ahead(tx, now, WhatIf(**asked))  # type: ignore[arg-type]
    assert found is not None
    return found


async def test_which_transfers_go_when_and_what_is_short(
    world: World, reserves: Database, operator: Database
) -> None:
    reserve = await Reserve(world).begun("i1")
    await world.payee("w1", payout_schedule="weekly")
    world.control.fund(35_000)
    await reserve.judged(minimum=30_000)
    await world.earned("i1", 10_000)
    await world.earned("w1", 3_000)
    await reserve.work()
    now = world.clock()
    await handlers.follow_book(reserves, [book([SCHOOL, RESERVE])])
    await handlers.take_balance(reserves, [balance_read(1, 35_000)])
    usual = [line(f"p{n}", 1_000, at=now - timedelta(days=7 * n, hours=12)) for n in range(1, 9)]
    await handlers.take_transactions(
        reserves, [line("t1", 9_000, at=now - timedelta(hours=18), type="topup"), *usual]
    )

    found = await looked(operator, now, without_payments=True)
    held, weekly = found.ahead.runs
    assert (held.due.wallet, held.short, held.at) == ("instructor:i1", 5_000, now + timedelta(hours=30))
    assert held.at is not None
    assert (weekly.due.wallet, weekly.due.amount) == ("instructor:w1", 3_000)
    assert weekly.due.at == period_ends(now, ZoneInfo("UTC"), weekly=True)
    assert found.ahead.hours_to_shortfall == 0
    assert (found.ahead.top_up, found.ahead.top_up_by) == (5_000 + 3_000 * (weekly.due.at <= held.at), now)
    assert found.ahead.hours[-1].free == 35_000 + 9_000 - 13_000

    topped = await looked(operator, now, without_payments=True, top_up=20_000, on=now.date())
    assert topped.ahead.hours[-1].free == 51_000
    assert topped.ahead.runs[0].at is not None
    assert topped.ahead.runs[0].at < now + timedelta(hours=24)

    expected = await looked(operator, now)
    assert expected.after == timedelta(days=2)
    assert {weekday for weekday, amount in expected.usual.items() if amount == 1_000} == {
        (now - timedelta(hours=12)).isoweekday()
    }
    assert expected.ahead.hours[-1].free in {32_000, 33_000}


def test_a_period_ends_at_night_by_the_schools_clock() -> None:
    here = ZoneInfo("America/New_York")
    friday = datetime(2026, 5, 22, 12, tzinfo=UTC)
    assert period_ends(friday, here, weekly=False) == datetime(2026, 5, 23, 2, tzinfo=here)
    assert period_ends(friday, here, weekly=True) == datetime(2026, 5, 25, 2, tzinfo=here)
    night = datetime(2026, 5, 25, 5, tzinfo=UTC)  # 01:00 there, on Monday
    assert period_ends(night, here, weekly=True).date() == date(2026, 5, 25)


async def test_each_day_s_first_forecast_is_kept_and_compared_with_what_came(
    world: World, reserves: Database, operator: Database
) -> None:
    reserve = await Reserve(world).begun("i1")
    world.control.fund(60_000)
    await reserve.judged(minimum=30_000)
    await handlers.follow_book(reserves, [book([SCHOOL, RESERVE])])
    await handlers.take_balance(reserves, [balance_read(11, 60_000)])
    morning = world.clock().replace(hour=6, minute=0, second=0, microsecond=0)
    usual = [line(f"p{n}", 1_000, at=morning - timedelta(days=7 * n)) for n in range(1, 9)]
    await handlers.take_transactions(reserves, usual)
    await look_ahead_and_keep(reserves, clock=lambda: morning)
    first = await kept(operator)
    assert [(row["day"], row["payments"], row["payments_error"]) for row in first] == [
        (morning.date(), 1_000, None)
    ]

    # The day goes on: another forecast of it is not kept; a payment comes that no Thursday had.
    await handlers.take_transactions(reserves, [line("today", 2_500, at=morning + timedelta(hours=5))])
    await handlers.take_balance(reserves, [balance_read(12, 61_500)])
    await look_ahead_and_keep(reserves, clock=lambda: morning + timedelta(hours=6))
    assert await kept(operator) == first

    next_day = morning + timedelta(hours=18, minutes=10)
    await look_ahead_and_keep(reserves, clock=lambda: next_day)
    tomorrow, today = await kept(operator)
    assert tomorrow["compared_at"] is None
    assert (today["payments_error"], today["sent_error"], today["free_error"]) == (1_500, 0, 1_500)
    assert metrics.FORECAST_ERROR.labels("payments")._value.get() == 1_500
    assert metrics.HOURS_TO_SHORTFALL._value.get() == HOURS


async def kept(operator: Database) -> list[dict[str, object]]:
    async with operator.transaction() as tx:
        await tx.execute("SET LOCAL ROLE hobbs_reader")
        return await past(tx)
