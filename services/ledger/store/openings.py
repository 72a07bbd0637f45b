"""Lines of the books kept before, and who signed them: the tables `opening_line`, `opening_signature`."""

from collections.abc import Sequence
from datetime import date
from typing import Final
from uuid import UUID

from fleet.database import Tx
from services.ledger.domain.openings import KINDS, KnownLine, LineKey, NewLine

_KNOWN: Final = """
    SELECT DISTINCT ON (kind, key, reference, currency)
           kind, key, reference, currency, attempt, source, amount, stands
    FROM ledger_public.opening_lines WHERE as_of = :as_of
    ORDER BY kind, key, reference, currency, attempt DESC
"""


async def known(tx: Tx, as_of: date) -> dict[LineKey, KnownLine]:
    """The newest attempt of every line that was posted, with its amount as files say it."""
    lines: dict[LineKey, KnownLine] = {}
    for row in await tx.all(_KNOWN, as_of=as_of):
        about = LineKey(row.kind, row.key, row.reference, row.currency)
        lines[about] = KnownLine(
            about=about,
            amount=KINDS[row.kind].sign * row.amount,
            attempt=row.attempt,
            source=row.source,
            stands=row.stands,
        )
    return lines


_INSERT: Final = """
    INSERT INTO opening_line (journal_id, as_of, kind, key, reference, currency, attempt)
    SELECT journal_id, :as_of, kind, key, reference, currency, attempt
    FROM unnest(CAST(:ids AS uuid[]), CAST(:kinds AS text[]), CAST(:keys AS text[]),
                CAST(:references AS text[]), CAST(:currencies AS text[]), CAST(:attempts AS integer[]))
         AS line (journal_id, kind, key, reference, currency, attempt)
"""


async def insert(tx: Tx, as_of: date, lines: Sequence[NewLine], journal_ids: Sequence[UUID]) -> None:
    """Note which line each journal posted."""
    abouts = [one.line.about for one in lines]
    await tx.execute(
        _INSERT,
        as_of=as_of,
        ids=list(journal_ids),
        kinds=[about.kind for about in abouts],
        keys=[about.key for about in abouts],
        references=[about.reference for about in abouts],
        currencies=[about.currency for about in abouts],
        attempts=[one.attempt for one in lines],
    )
