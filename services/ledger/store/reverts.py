"""Which journal reverts which: the table `revert`."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from fleet.database import Tx

_DATES: Final = """
    SELECT revert.reverted_id, coalesce(late_journal.belongs_at, journal.occurred_at) AS occurred_at
    FROM revert
    JOIN journal ON journal.id = revert.journal_id
    LEFT JOIN late_journal ON late_journal.journal_id = journal.id
    WHERE revert.reverted_id = ANY (CAST(:ids AS uuid[]))
"""


async def dates(tx: Tx, ids: Sequence[UUID]) -> dict[UUID, datetime]:
    """When the posted reverts of these journals occurred, as requested, by the id of the reverted journal."""
    rows = await tx.all(_DATES, ids=list(ids))
    return {row.reverted_id: row.occurred_at for row in rows}


_INSERT: Final = """
    INSERT INTO revert (journal_id, reverted_id)
    SELECT * FROM unnest(CAST(:journal_ids AS uuid[]), CAST(:reverted_ids AS uuid[]))
"""


async def insert(tx: Tx, reverted: Mapping[UUID, UUID]) -> None:
    """Record which new journal (key) reverts which (value)."""
    if reverted:
        await tx.execute(_INSERT, journal_ids=list(reverted), reverted_ids=list(reverted.values()))
