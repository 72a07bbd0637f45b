"""SQL of the ledger's books, as the ledger publishes them. Nothing of payouts' own is here."""

from collections.abc import Sequence
from uuid import UUID

from fleet.database import Tx
from services.payouts.domain.books import Booked, booked

# Journal by journal, each by its index: joined as a set, the planner may read the whole table of entries.
_BOOKED = """
    SELECT kept.journal_id, source, event_type, occurred_at, lines
    FROM unnest(CAST(:ids AS uuid[])) AS asked (id)
    CROSS JOIN LATERAL (
        SELECT journal_id, source, event_type, occurred_at,
               array_agg(address || ' ' || currency || ' ' || amount) AS lines
        FROM ledger_public.entries WHERE journal_id = asked.id
        GROUP BY journal_id, source, event_type, occurred_at
    ) AS kept
"""


async def read(tx: Tx, journal_ids: Sequence[UUID]) -> dict[UUID, Booked]:
    """What the books say of these journals, by id; what they do not have is left out."""
    rows = await tx.all(_BOOKED, ids=list(journal_ids)) if journal_ids else []
    return {row.journal_id: booked(row.source, row.event_type, row.occurred_at, row.lines) for row in rows}
