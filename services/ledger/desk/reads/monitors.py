"""Monitors that are set, and their crossings. Amounts are minor units."""

from typing import Final

from fleet.database import Tx
from services.ledger.domain.monitors import Crossing, Monitor

_LIST: Final = """
    SELECT monitor, address AS wallet, currency, watches, comparison, threshold, recovers_at, balance, beyond,
           since, crossings, memo, set_at, set_by
    FROM ledger_public.monitors
    WHERE (CAST(:wallet AS text) IS NULL OR address = :wallet)
      AND (CAST(:monitor AS text) IS NULL OR monitor = :monitor)
      AND (beyond OR NOT CAST(:only_beyond AS boolean))
    ORDER BY monitor
"""


async def list_monitors(
    tx: Tx, *, monitor: str | None = None, wallet: str | None = None, only_beyond: bool = False
) -> list[Monitor]:
    """Monitors that are set, sorted by name."""
    rows = await tx.all(_LIST, monitor=monitor, wallet=wallet, only_beyond=only_beyond)
    return [Monitor(**row._mapping) for row in rows]


_CROSSINGS: Final = """
    SELECT crossed_at, monitor, nr, address AS wallet, currency, watches, comparison, threshold, recovers_at,
           beyond, because, balance, version, source, journal_id, hold
    FROM ledger_public.crossings
    WHERE (CAST(:monitor AS text) IS NULL OR monitor = :monitor)
      AND (CAST(:wallet AS text) IS NULL OR address = :wallet)
    ORDER BY crossed_at DESC, monitor_id DESC, nr DESC LIMIT :most OFFSET :skip
"""


async def list_crossings(
    tx: Tx, *, monitor: str | None = None, wallet: str | None = None, most: int, skip: int = 0
) -> list[Crossing]:
    """The `most` newest crossings but for `skip`, those of removed monitors too; oldest first."""
    rows = await tx.all(_CROSSINGS, monitor=monitor, wallet=wallet, most=most, skip=skip)
    return [Crossing(**row._mapping) for row in reversed(rows)]
