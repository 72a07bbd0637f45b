"""Compare the books with Stripe: match what is open, name what is left, then complete a business date.

Each step does less the second time: who dies between two goes on with the next.
"""

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Final

from fleet import outbox
from fleet.database import Database, Tx
from fleet.envelope import first_cause
from fleet.faults import fault_point
from fleet.zones import local_date
from services.reserves import store, wire
from services.reserves.domain.days import ComparedDay
from services.reserves.domain.policy import Policy
from services.reserves.steps import breaks

LINES_AT_ONCE: Final = 10_000


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
    """Match what came late, what belongs together only as a group or by amount, and what differs.

    Then close the breaks that are over by that.
    """
    today, policy = await _today(tx, now)
    await store.matches.late(tx, now)
    await store.matches.together(tx, now)
    await store.matches.differing(tx, today - timedelta(days=policy.timing_days), now)
    await store.matches.by_amount(tx, policy.timing_days, now)
    for one in await store.openings.differences(tx):
        if not one.amount:
            await store.openings.match(tx, one.currency, now)
    await _take_back(tx, now)
    await store.breaks.close_gone(tx, now)


async def _take_back(tx: Tx, now: datetime) -> None:
    """Ask for the revert of what was accepted for a row whose own journals came after all."""
    for source in await store.matches.take_back(tx, now):
        why = f"the journals that {source} stood in for came after all"
        await outbox.stage(
            tx, [wire.reconciliation.revert_requested({"reverts": source}, why, now, first_cause())]
        )
        await fault_point("reserves.taken_back")


async def complete(tx: Tx, day: date, now: datetime) -> list[ComparedDay]:
    """Compare both sides of a date, name what differs, and tell what it came to unless it is as it was.

    A date that is signed off stands as it was compared then.
    """
    await store.days.lock_day(tx, day)
    await store.days.note_comparison(tx, now)
    frozen = await store.signatures.frozen_until(tx)
    if frozen is not None and day <= frozen:
        return await store.days.kept(tx, day)
    today, policy = await _today(tx, now)
    await breaks.keep(tx, day, today, policy, now)
    number = await store.breaks.count_open(tx, day)
    compared = [
        replace(one, breaks_open=number.get(one.currency, 0)) for one in await store.days.compare(tx, day)
    ]
    for one in compared:
        run = await store.days.keep(tx, one, now)
        if run is not None:
            await outbox.stage(tx, [wire.reconciliation.completed(one, run, now)])
    await fault_point("reserves.day_completed")
    return compared


async def drift_limit(tx: Tx, now: datetime) -> int:
    """What real breaks of a currency may come to before somebody is called."""
    _, policy = await _today(tx, now)
    return policy.drift_alert_above


async def _today(tx: Tx, now: datetime) -> tuple[date, Policy]:
    """The school's date, and its policy of then; the usual one where it keeps no reserve."""
    today = local_date(now, await store.days.time_zone(tx))
    return today, await store.policy.in_force(tx, today) or Policy()
