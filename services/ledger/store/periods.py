"""Closed periods, and journals that were requested after their period was closed."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from fleet.database import Tx
from services.ledger.domain.journals import Journal

_CLOSED_UNTIL: Final = "SELECT max(until) AS until FROM closed_period"


async def closed_until(tx: Tx) -> datetime | None:
    """When the open period begins; None: no period was closed."""
    row = await tx.one(_CLOSED_UNTIL)
    until: datetime | None = row.until
    return until


_CLOSE: Final = "SELECT close_period(CAST(:until AS timestamptz), :memo)"


async def close(tx: Tx, until: datetime, memo: str) -> None:
    """Close every period before an instant. The database refuses an instant that is not over."""
    await tx.execute(_CLOSE, until=until, memo=memo)


_INSERT_LATE: Final = "SELECT link_late(CAST(:ids AS uuid[]), CAST(:belongs AS timestamptz[]))"


async def insert_late(tx: Tx, journals: Sequence[Journal]) -> None:
    """Record when late journals occurred, and to which period they belong."""
    await tx.execute(
        _INSERT_LATE,
        ids=[journal.journal_id for journal in journals],
        belongs=[journal.belongs_at for journal in journals],
    )
