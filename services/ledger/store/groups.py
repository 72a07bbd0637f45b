"""Which journals were posted together: the table `journal_group`."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from fleet.database import Tx

_SOURCES: Final = """
    SELECT journal.source
    FROM journal_group JOIN journal ON journal.id = journal_group.journal_id
    WHERE journal_group.name = :name
"""


async def sources(tx: Tx, name: str) -> set[str]:
    """The sources of the journals that were posted under this name."""
    rows = await tx.all(_SOURCES, name=name)
    return {row.source for row in rows}


_INSERT: Final = """
    INSERT INTO journal_group (journal_id, name)
    SELECT id, :name FROM unnest(CAST(:ids AS uuid[])) AS posted (id)
"""


async def insert(tx: Tx, name: str, journal_ids: Sequence[UUID]) -> None:
    """Record that these new journals were posted together."""
    await tx.execute(_INSERT, name=name, ids=list(journal_ids))
