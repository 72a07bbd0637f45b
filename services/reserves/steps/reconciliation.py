"""Compare the books with Stripe: match what is open, then complete a business date.

Each step does less the second time: who dies between two goes on with the next.
"""

from datetime import date, datetime
from typing import Final

from fleet import outbox
from fleet.database import Database, Tx
from fleet.faults import fault_point
from services.reserves import store, wire
from services.reserves.domain.days import ComparedDay

LINES_AT_ONCE: Final = 20_000
TIMING_DAYS: Final = 3


async def reconcile(db: Database, day: date, *, now: datetime) -> None:
    """Match what is open, then compare both sides of a date and tell what it came to."""
    await match(db, now)
    async with db.transaction() as tx:
        await complete(tx, day, now)


async def match(db: Database, now: datetime) -> None:
    """Match what is open on both sides, a batch in each transaction."""
    last: str | None = ""
    while last is not None:
        async with db.transaction() as tx:
            last = await match_by_ids(tx, last, now)
    async with db.transaction() as tx:
        await match_the_rest(tx, now)


async def match_by_ids(tx: Tx, after: str, now: datetime) -> str | None:
    """Match open lines with ids after this one; the last one looked at, None at the end."""
    looked_at, _, last = await store.matches.by_ids(tx, after, LINES_AT_ONCE, now)
    await fault_point("reserves.matched")
    return last if looked_at == LINES_AT_ONCE else None


async def match_the_rest(tx: Tx, now: datetime) -> None:
    """Match what came late, what belongs together only as a group, and what people posted by its amount."""
    await store.matches.late(tx, now)
    await store.matches.together(tx, now)
    await store.matches.by_amount(tx, TIMING_DAYS, now)


async def complete(tx: Tx, day: date, now: datetime) -> list[ComparedDay]:
    """Compare both sides of a date, and tell what it came to unless it is as it was."""
    await store.days.lock_day(tx, day)
    compared = await store.days.compare(tx, day)
    for one in compared:
        run = await store.days.keep(tx, one, now)
        if run is not None:
            await outbox.stage(tx, [wire.reconciliation.completed(one, run, now)])
    await fault_point("reserves.day_completed")
    return compared
