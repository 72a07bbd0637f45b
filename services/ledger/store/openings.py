"""Lines of the books kept before, and who signed them: the tables `opening_line`, `opening_signature`."""

from collections.abc import Sequence
from datetime import date
from typing import Final
from uuid import UUID

from fleet.database import Tx
from services.ledger.domain.openings import KINDS, KnownLine, LineKey, NewLine, Signature

_KNOWN: Final = """
    SELECT DISTINCT ON (kind, key, reference, currency)
           kind, key, reference, currency, attempt, source, occurred_at, amount, stands
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
            occurred_at=row.occurred_at,
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


_NEWEST: Final = """
    SELECT action, balance_hash, who FROM opening_signature WHERE as_of = :as_of ORDER BY id DESC LIMIT 1
"""


async def newest_signature(tx: Tx, as_of: date) -> Signature | None:
    """What was last said about an opening; None: it was never signed."""
    row = await tx.first(_NEWEST, as_of=as_of)
    return None if row is None else Signature(signs=row.action == "signed", of=row.balance_hash, who=row.who)


_SIGN: Final = """
    INSERT INTO opening_signature (as_of, action, balance_hash, who, why, decision_id)
    VALUES (:as_of, CAST(:action AS text), :of, :who, :why, :decision_id)
"""


async def sign(tx: Tx, as_of: date, signature: Signature, why: str, decision_id: UUID) -> None:
    """Note that an opening is signed, or reopened."""
    action = "signed" if signature.signs else "reopened"
    await tx.execute(
        _SIGN,
        as_of=as_of,
        action=action,
        of=signature.of,
        who=signature.who,
        why=why,
        decision_id=decision_id,
    )
