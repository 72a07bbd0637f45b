"""The hash chain over the journals, which a timer extends: posting does not write it."""

from datetime import datetime
from typing import Final

from fleet.database import Tx
from services.ledger.domain.chain import START, Head

EXTEND_AT_ONCE: Final = 20_000

_EXTEND: Final = "SELECT extend_chain(CAST(:until AS timestamptz), :most) AS done"


async def extend(tx: Tx, until: datetime) -> int:
    """Add journals recorded before `until` to the chain, at most EXTEND_AT_ONCE; returns how many."""
    row = await tx.one(_EXTEND, until=until, most=EXTEND_AT_ONCE)
    return int(row.done)


_HEAD: Final = "SELECT position, hash FROM journal_link ORDER BY position DESC LIMIT 1"


async def head(tx: Tx) -> Head:
    """The newest link."""
    row = await tx.first(_HEAD)
    return START if row is None else Head(position=row.position, hash=row.hash)
