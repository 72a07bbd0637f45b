"""SQL of what the gauges show: how many adjustments stand where, and since when the oldest waits."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from fleet.database import Tx

# Settled ones are history, as are those that a person or a later revision ended: only what goes on is counted.
_OPEN: Final = """
    SELECT state, count(*) AS count, min(changed_at) AS since FROM adjustment
    WHERE state IN ('proposed', 'waiting', 'approved', 'posted', 'settling', 'failed') GROUP BY state
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class InState:
    """How many adjustments are in a state, and since when the oldest is."""

    count: int
    since: datetime


async def by_state(tx: Tx) -> dict[str, InState]:
    """The states in which an adjustment still goes on, with those that are in one."""
    return {row.state: InState(count=row.count, since=row.since) for row in await tx.all(_OPEN)}
