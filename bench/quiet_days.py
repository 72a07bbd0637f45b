"""Days without a webhook, lived through in seconds: payouts' loops, and a clock that jumps to what is due.

Database and simulator are real, so each read is one that the simulator counted. Only time is not: Stripe and
Kafka do nothing meanwhile.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from fleet.database import Database
from services.payouts import store
from services.payouts.domain.reading import ReadSchedule
from services.payouts.stripe.missed_events import MissedEvents
from services.payouts.stripe.rereads import Rereader
from services.payouts.stripe.treasury import Treasury


class Movable(Protocol):
    """A clock that can be moved forward."""

    def __call__(self) -> datetime: ...
    def advance(self, *, seconds: float) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Loops:
    """The loops that read Stripe without being asked to."""

    db: Database
    clock: Movable
    schedule: ReadSchedule
    rereader: Rereader
    treasury: Treasury
    missed_events: MissedEvents


async def live_through(loops: Loops, span: timedelta, watch: Callable[[], None] = lambda: None) -> None:
    """Run the loops for so long by their clock; `watch` is called now and then."""
    end = loops.clock() + span
    while True:
        await loops.missed_events.run()
        while await loops.rereader.step() or await loops.treasury.step():
            continue
        watch()
        due = await _next_due(loops)
        if due >= end:
            return
        loops.clock.advance(seconds=max((due - loops.clock()).total_seconds(), 0.001))


_DUE = """
    SELECT least((SELECT min(due_at) FROM inquiry),
                 (SELECT min(due_at) FROM read_schedule WHERE name = 'balance')) AS at
"""


async def _next_due(loops: Loops) -> datetime:
    async with loops.db.transaction() as tx:
        calm_since, listed_at, _ = await store.events.listed(tx)
        due: datetime | None = (await tx.one(_DUE)).at
    listing = listed_at + loops.schedule.events.after(listed_at - calm_since)
    return listing if due is None else min(listing, due)
