"""SQL of what the gauges show: how many adjustments stand where, and since when the oldest waits."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from fleet.database import Tx

# Only what goes on is counted: what was settled, or ended by a person or a later revision, is history.
_OPEN: Final = """
    SELECT state, count(*) AS found, min(changed_at) AS since FROM adjustment
    WHERE state IN ('proposed', 'waiting', 'approved', 'posted', 'settling', 'failed') GROUP BY state
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class InState:
    """How many adjustments are in a state, and since when the oldest is."""

    count: int
    since: datetime


async def by_state(tx: Tx) -> dict[str, InState]:
    """The states in which an adjustment still goes on, with those that are in one."""
    return {row.state: InState(count=row.found, since=row.since) for row in await tx.all(_OPEN)}
