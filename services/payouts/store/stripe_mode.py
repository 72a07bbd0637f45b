"""SQL of the mode of the money that this database holds, and of what the processes run with. One row."""

from datetime import datetime

from fleet.database import Tx

# What the database took in belongs to the mode of its key: from then on the mode stays.
_RECORD = """
    UPDATE stripe_mode
    SET livemode = CASE
            WHEN livemode IS NOT NULL AND (EXISTS (SELECT FROM inbox) OR EXISTS (SELECT FROM payable)
                OR EXISTS (SELECT FROM operation)) THEN livemode
            ELSE :livemode END,
        key_livemode = :livemode, api_base = :api_base, api_version = :api_version, seen_at = :now
    RETURNING livemode
"""


async def record(tx: Tx, *, livemode: bool, api_base: str, api_version: str, now: datetime) -> bool:
    """Say what this process runs with, and answer with the mode of the database's money."""
    row = await tx.one(_RECORD, livemode=livemode, api_base=api_base, api_version=api_version, now=now)
    return bool(row.livemode)
