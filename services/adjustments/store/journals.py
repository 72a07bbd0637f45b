"""SQL of the ledger's journals of adjustments, as it posted them."""

from collections.abc import Collection, Sequence
from typing import Final

from fleet.database import Tx, json_parameter
from services.adjustments.domain.journals import PostedJournal

_KEEP: Final = """
    INSERT INTO posted_journal (source, journal_id, currency, entries, recorded_at)
    SELECT source, journal_id, currency, entries, recorded_at
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS row (
        source text, journal_id uuid, currency text, entries jsonb, recorded_at timestamptz)
    ORDER BY source
    ON CONFLICT DO NOTHING
"""


async def keep(tx: Tx, journals: Sequence[PostedJournal]) -> None:
    """Keep what the ledger posted, once for each source."""
    rows = [
        {
            "source": one.source,
            "journal_id": one.journal_id,
            "currency": one.currency,
            "entries": dict(one.entries),
            "recorded_at": one.recorded_at,
        }
        for one in journals
    ]
    await tx.execute(_KEEP, rows=json_parameter(rows))


_KNOWN: Final = """
    SELECT source, journal_id, currency, entries, recorded_at FROM posted_journal
    WHERE source = ANY (CAST(:sources AS text[]))
"""


async def known(tx: Tx, sources: Collection[str]) -> dict[str, PostedJournal]:
    """The journals that the ledger posted, by source."""
    return {
        row.source: PostedJournal(
            source=row.source,
            journal_id=row.journal_id,
            currency=row.currency,
            entries=row.entries,
            recorded_at=row.recorded_at,
        )
        for row in await tx.all(_KNOWN, sources=sorted(sources))
    }
