"""Finds whose limit rises or falls by the book's policy, and changes or proposes it. The caller commits.

A student's row of levels is locked first, by a look and by a person's decision: one decides at a time.
"""

from dataclasses import replace
from datetime import date, datetime

from fleet.database import Tx
from fleet.faults import fault_point
from fleet.zones import local_date
from services.receivables import metrics, store
from services.receivables.domain.limit_changes import Change, Policy, Standing, review


async def look(tx: Tx, most: int, now: datetime) -> bool:
    """Look at the limits that are due for it; whether there may be more of them."""
    zone, currency = await store.credit.school(tx)
    if currency is None:
        return False
    today = local_date(now, zone)
    policy = await store.limit_changes.policy(tx, today)
    unreviewed = [] if policy.is_idle else await store.limit_changes.lock_unreviewed(tx, today, most)
    students = {*unreviewed, *await _caused(tx, policy, now)}
    if not students:
        return False
    standings = await store.limit_changes.standings(tx, students, policy, today, now, zone)
    found = [one for standing in standings for one in await _look_at(tx, policy, standing, now, today)]
    await store.limit_changes.insert(tx, found, policy, now, today)
    await store.limit_changes.reviewed(tx, students, today)
    await store.credit_levels.mark(tx, {one.student for _, one in found if one.state == "in_force"})
    for _, one in found:
        metrics.LIMIT_CHANGES.labels("rise" if one.rises else "fall", one.state).inc()
    await fault_point("receivables.limits_written")
    return len(unreviewed) == most


async def _caused(tx: Tx, policy: Policy, now: datetime) -> list[str]:
    """Whom something happened to; of an idle policy those whose change is open, which lapses."""
    if policy.is_idle:
        return await store.limit_changes.lock_open(tx)
    return await store.limit_changes.lock_set_back(tx, now)


async def _look_at(
    tx: Tx, policy: Policy, standing: Standing, now: datetime, today: date
) -> list[tuple[Standing, Change]]:
    lapses, found = review(policy, standing, today)
    if lapses and standing.open is not None:
        await lapse(tx, standing.open, now, today)
    return [(standing, one) for one in found]


async def lapse(tx: Tx, change: Change, now: datetime, today: date) -> None:
    """End a change that is open: what it was found by no longer holds."""
    await write(tx, replace(change, state="lapsed"), who=None, why="", second=False, now=now, today=today)


async def write(
    tx: Tx, change: Change, *, who: str | None, why: str, second: bool, now: datetime, today: date
) -> None:
    """Write what became of a change whose student is locked; see store.limit_changes.write."""
    await store.limit_changes.write(tx, change, who=who, why=why, second=second, now=now, today=today)
    if change.state == "in_force":
        await store.credit_levels.mark(tx, [change.student])
    metrics.LIMIT_CHANGES.labels("rise" if change.rises else "fall", change.state).inc()
