import asyncio
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import pytest

from fleet import timers
from fleet.database import Database

DENVER = ZoneInfo("America/Denver")


async def test_of_two_processes_one_runs_the_job(database: Database) -> None:
    await timers.declare(database, "poll")
    inside, release = asyncio.Event(), asyncio.Event()

    async def job() -> None:
        inside.set()
        await release.wait()

    async def never() -> None:
        raise AssertionError("the other process has the lease")

    first = asyncio.create_task(timers.run_if_due(database, "poll", 60, job, lease_s=60))
    await inside.wait()
    assert not await timers.run_if_due(database, "poll", 60, never, lease_s=60)
    release.set()
    assert await first
    assert not await timers.run_if_due(database, "poll", 60, never, lease_s=60)  # not due again yet


async def test_a_job_whose_process_died_runs_again_when_its_lease_ends(database: Database) -> None:
    await timers.declare(database, "poll")

    async def dies() -> None:
        raise ConnectionError("killed")

    async def runs() -> None:
        return None

    with pytest.raises(ConnectionError):
        await timers.run_if_due(database, "poll", 60, dies, lease_s=60)
    assert not await timers.run_if_due(database, "poll", 60, runs, lease_s=60)
    async with database.transaction() as tx:
        await tx.execute("UPDATE timer SET lease_until = now() - interval '1 second'")
    assert await timers.run_if_due(database, "poll", 60, runs, lease_s=60)


async def test_a_lease_ends_when_it_was_told_to(database: Database) -> None:
    await timers.declare(database, "poll")

    async def dies() -> None:
        raise ConnectionError("killed")

    async def runs() -> None:
        return None

    with pytest.raises(ConnectionError):
        await timers.run_if_due(database, "poll", 60, dies, lease_s=0)
    assert await timers.run_if_due(database, "poll", 60, runs, lease_s=0)


async def test_each_business_date_runs_once_and_missed_ones_are_caught_up(database: Database) -> None:
    await timers.declare(database, "close")
    ran: list[date] = []

    async def job(day: date) -> None:
        ran.append(day)

    for today in (date(2026, 5, 1), date(2026, 5, 1), date(2026, 5, 4), date(2026, 5, 2)):
        await timers.run_missed_dates(database, "close", today, job, lease_s=60)
    assert ran == [date(2026, 5, d) for d in (1, 2, 3, 4)]


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (datetime(2026, 5, 22, 7, 59, tzinfo=UTC), date(2026, 5, 21)),
        (datetime(2026, 5, 22, 8, 0, tzinfo=UTC), date(2026, 5, 22)),
        (datetime(2026, 11, 22, 8, 30, tzinfo=UTC), date(2026, 11, 21)),
    ],
)
def test_the_business_date_is_local_and_begins_at_its_time(now: datetime, expected: date) -> None:
    assert timers.business_date(now, DENVER, time(2)) == expected
