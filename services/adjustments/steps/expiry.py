"""Ends adjustments that nobody decided in time."""

from datetime import datetime
from typing import Final

from fleet import outbox
from fleet.database import Tx
from fleet.faults import fault_point
from services.adjustments import store
from services.adjustments.domain.adjustments import Adjustment, Move, State
from services.adjustments.steps import moves, proposals

BATCH_MAX: Final = 500
CLOCK: Final = "clock"  # who ends what nobody decided


async def expire(tx: Tx, now: datetime) -> int:
    """Expire up to BATCH_MAX adjustments; how many there were. Flights that others hold are left alone."""
    flights = await store.adjustments.flights_with_expired(tx, now, BATCH_MAX)
    locked = await store.flights.lock_free(tx, flights)
    known = await store.adjustments.of_flights(tx, locked)
    late = [one for one in known if one.state is State.WAITING and one.expires_at <= now]
    steps = [
        Move(
            adjustment=one,
            to=State.EXPIRED,
            who=CLOCK,
            why=f"nobody decided within {_days(one)} days; correct the flight again",
        )
        for one in late
    ]
    expired = await moves.make(tx, steps, now)
    await fault_point("adjustments.expired")
    await outbox.stage(tx, proposals.consequences_of(expired))
    return len(expired)


def _days(adjustment: Adjustment) -> int:
    return (adjustment.expires_at - adjustment.proposed_at).days
