"""Says once that a student crossed a level of their limit. The caller commits.

Whatever moves a balance, a hold, a dispute or a limit marks its students; a timer looks at them.
"""

from datetime import datetime

from fleet import outbox
from fleet.database import Tx
from fleet.envelope import first_cause
from fleet.faults import fault_point
from fleet.zones import local_date
from services.receivables import metrics, store, wire


async def tell(tx: Tx, most: int, now: datetime) -> bool:
    """Look at students who are marked and say which level they crossed; whether there may be more of them."""
    zone, currency = await store.credit.school(tx)
    if currency is None:
        return False
    today = local_date(now, zone)
    await store.credit_levels.mark_all_if_new(tx, today)
    students = await store.credit_levels.lock_stale(tx, most)
    if not students:
        return False
    changes = await store.credit_levels.changed(tx, students, today)
    await store.credit_levels.write(tx, students, changes, now)
    for change in changes:
        metrics.CREDIT_CROSSINGS.labels(change.crossing).inc()
    await fault_point("receivables.levels_written")
    await outbox.stage(
        tx, [m for change in changes for m in wire.credit_levels.changed(change, now, first_cause())]
    )
    return len(students) == most
