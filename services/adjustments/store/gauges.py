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


# Of the newest that wait: a window is open for 72 hours, so older ones have none. Each looks up few payables.
_CLOSING: Final = """
    WITH newest AS MATERIALIZED (
        SELECT id, differences, paid_by FROM adjustment WHERE state = 'waiting'
        ORDER BY proposed_at DESC, id DESC LIMIT 1000)
    SELECT count(DISTINCT newest.id) AS closing
    FROM newest CROSS JOIN LATERAL jsonb_each_text(newest.differences) AS party (wallet, amount)
    JOIN payouts_public.payables ON payables.wallet = party.wallet AND payables.source = ANY (newest.paid_by)
    JOIN payouts_public.transfers ON transfers.id = payables.transfer_id
    WHERE CAST(party.amount AS bigint) < 0 AND payables.amount > 0
      AND transfers.clawback_until > :now AND transfers.clawback_until <= :soon
"""


async def clawbacks_closing(tx: Tx, now: datetime, soon: datetime) -> int:
    """How many adjustments wait while what they take back can be taken back until then at the latest."""
    return int((await tx.one(_CLOSING, now=now, soon=soon)).closing)
