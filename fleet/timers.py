"""Timers are rows, not memory: whichever process comes first runs the job, the others see its lease.

A process that dies in a job leaves a lease; when it ends another process runs the job again. So a job
must be safe to run twice, as everything here is.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from fleet import signals
from fleet.database import Database
from fleet.faults import fault_point

POLL_S = 1.0
SPREAD_S = 0.02  # between the beginnings of two jobs of a worker; most take less

_DECLARE = """
    INSERT INTO timer (name, due_at) VALUES (:name, now() + make_interval(secs => :after_s))
    ON CONFLICT ON CONSTRAINT timer_runs_in_one_place DO NOTHING
"""
_DUE = """
    SELECT name FROM timer
    WHERE name = ANY (:names) AND due_at <= now() AND coalesce(lease_until < now(), true)
"""
_CLAIM_DUE = """
    UPDATE timer SET lease_until = now() + make_interval(secs => :lease_s)
    WHERE name = :name AND due_at <= now() AND (lease_until IS NULL OR lease_until < now())
    RETURNING name
"""
_FINISH = """
    UPDATE timer SET lease_until = NULL, due_at = now() + make_interval(secs => :seconds) WHERE name = :name
"""
_CLAIM_DATE = """
    UPDATE timer SET lease_until = now() + make_interval(secs => :lease_s)
    WHERE name = :name AND (last_run IS NULL OR last_run < :today)
      AND (lease_until IS NULL OR lease_until < now())
    RETURNING last_run
"""
_FINISH_DATE = """
    UPDATE timer SET lease_until = NULL, last_run = :business_date WHERE name = :name
"""


class DueTimers:
    """Looks which timers of a worker are due, for all of them at once."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._due: dict[str, asyncio.Event] = {}
        self._every_s = POLL_S

    def add(self, name: str, seconds: float) -> asyncio.Event:
        """Look for this timer, too; the event is set when it may be due, and at the end."""
        self._every_s = min(self._every_s, seconds)
        return self._due.setdefault(name, asyncio.Event())

    async def run(self, stopping: asyncio.Event) -> None:
        """Set the events of timers that are due, again and again; of all at the end, and in an outage.

        Workers are started together, and many timers have one interval: each worker looks at an own part of
        it, and sets its events one after another, or all of them would ask Postgres at one instant.
        """
        rest = random.uniform(0.0, self._every_s)
        try:
            while not stopping.is_set():
                async with self._database.autocommit() as tx:
                    rows = await tx.all(_DUE, names=list(self._due))
                for row in rows:
                    self._due[row.name].set()
                    await signals.pause(stopping, SPREAD_S)
                await signals.pause(stopping, rest)
                rest = self._every_s
        finally:
            for due in self._due.values():
                due.set()


async def declare(database: Database, name: str, *, after_s: float = 0.0) -> None:
    """Make the timer's row, due after so many seconds, unless it is there."""
    async with database.transaction() as tx:
        await tx.execute(_DECLARE, name=name, after_s=after_s)


async def run_if_due(
    database: Database,
    name: str,
    seconds: float,
    job: Callable[[], Awaitable[None]],
    *,
    lease_s: float,
) -> bool:
    """Run the job if it is due and no other process has it; whether it ran."""
    async with database.transaction() as tx:
        if await tx.first(_CLAIM_DUE, name=name, lease_s=lease_s) is None:
            return False
    await fault_point("timer.claimed")
    await job()
    await fault_point("timer.ran")
    async with database.transaction() as tx:
        await tx.execute(_FINISH, name=name, seconds=seconds)
    return True


async def run_missed_dates(
    database: Database,
    name: str,
    today: date,
    job: Callable[[date], Awaitable[None]],
    *,
    lease_s: float,
) -> list[date]:
    """Run the job once for each business date up to `today` that has not run; the dates that ran.

    The first time ever only `today` runs.
    """
    async with database.transaction() as tx:
        claimed = await tx.first(_CLAIM_DATE, name=name, today=today, lease_s=lease_s)
    if claimed is None:
        return []
    first = claimed.last_run + timedelta(days=1) if claimed.last_run else today
    dates = [first + timedelta(days=n) for n in range((today - first).days + 1)]
    for business_date in dates:
        await fault_point("timer.date_claimed")
        await job(business_date)
        await fault_point("timer.date_ran")
        async with database.transaction() as tx:
            await tx.execute(_FINISH_DATE, name=name, business_date=business_date)
            if business_date != today:
                await tx.first(_CLAIM_DATE, name=name, today=today, lease_s=lease_s)
    return dates


def business_date(now: datetime, zone: ZoneInfo, at: time) -> date:
    """The latest local date whose `at` has passed; `now` is aware."""
    local = now.astimezone(zone)
    return local.date() if local.time() >= at else local.date() - timedelta(days=1)
