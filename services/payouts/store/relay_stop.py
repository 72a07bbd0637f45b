"""SQL of whether the relay may call Stripe. The table has one row; without a stop its columns are null."""

from datetime import datetime

from fleet.database import Tx
from services.payouts.domain.relay import RelayStop

_STOP = """
    UPDATE relay_stop SET since = coalesce(since, :now), sentence = :sentence, probe_at = :probe_at
    RETURNING old.since AS was_since
"""


async def stop(tx: Tx, sentence: str, now: datetime, probe_at: datetime) -> bool:
    """Keep every relay from calling Stripe; True when they were not stopped before."""
    return (await tx.one(_STOP, sentence=sentence, now=now, probe_at=probe_at)).was_since is None


_RESUME = "UPDATE relay_stop SET since = NULL, sentence = NULL, probe_at = NULL"


async def resume(tx: Tx) -> None:
    """Let the relays call Stripe again."""
    await tx.execute(_RESUME)


_PROBE_NOW = "UPDATE relay_stop SET probe_at = :now WHERE since IS NOT NULL"


async def probe_now(tx: Tx, now: datetime) -> None:
    """Have the key tried at once, because Stripe just answered it."""
    await tx.execute(_PROBE_NOW, now=now)


_CURRENT = "SELECT since, sentence, probe_at FROM relay_stop WHERE since IS NOT NULL"


async def current(tx: Tx) -> RelayStop | None:
    """The stop that is in force, None when the relays may call Stripe."""
    row = await tx.first(_CURRENT)
    return None if row is None else RelayStop(since=row.since, sentence=row.sentence, probe_at=row.probe_at)
