"""Tells finance of what waits too long and what can soon not be taken back any more; counts both."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from fleet import outbox
from fleet.database import Tx
from fleet.faults import fault_point
from fleet.zones import local_date
from services.adjustments import store, wire
from services.adjustments.domain.settlements_early import TOLD_AFTER
from services.adjustments.domain.settlements_late import (
    UNANSWERED_AFTER,
    WARNED_BEFORE,
    Late,
    LateCounts,
    Lateness,
    sentence,
)

BATCH_MAX: Final = 500


async def remind(tx: Tx, now: datetime) -> int:
    """Tell finance once of each settlement that is late, the most urgent first; how many were told of.

    Only payouts' answer turns a reversal into an offset, when its window is closed too: as long as nobody
    knows whether money came back, it must not be deducted as well.
    """
    closing = await store.settlements_late.closing(tx, now, now + WARNED_BEFORE, BATCH_MAX)
    unanswered = await store.settlements_late.unanswered(tx, now - UNANSWERED_AFTER, BATCH_MAX)
    overdue = await store.settlements_late.overdue(tx, now - await _patience(tx, now), BATCH_MAX)
    await _tell(tx, closing, Lateness.WINDOW_CLOSES, now)
    await _tell(tx, unanswered, Lateness.UNANSWERED, now)
    await _tell(tx, overdue, Lateness.OVERDUE, now)
    forgotten = await store.settlements_early.untold(tx, now - TOLD_AFTER, now)
    await outbox.stage(tx, [wire.settlements.forgotten(one) for one in forgotten])
    await fault_point("adjustments.settlements_reminded")
    await store.settlements_sent.forget_closed(tx, now)
    return len(closing) + len(unanswered) + len(overdue)


async def count(tx: Tx, now: datetime) -> LateCounts:
    """How many settlements are late now."""
    return await store.settlements_late.count(
        tx,
        now,
        overdue=now - await _patience(tx, now),
        unanswered=now - UNANSWERED_AFTER,
        closing=now + WARNED_BEFORE,
        forgotten=now - TOLD_AFTER,
    )


async def _tell(tx: Tx, found: Sequence[Late], what: Lateness, now: datetime) -> None:
    if not found:
        return
    await store.settlements_late.note_told(tx, [one.settlement.id for one in found], what, now)
    kind = f"settlement_{what}"
    messages = [
        wire.settlements.finance(kind, one.name, sentence(one, what, now), one.trace) for one in found
    ]
    await outbox.stage(tx, messages)


async def _patience(tx: Tx, now: datetime) -> timedelta:
    """For how long the school's policy of today lets money wait for a transfer."""
    policy = await store.policy.in_force(tx, local_date(now, await store.policy.time_zone(tx)))
    return timedelta(days=policy.offset_escalates_after_days)
