"""Business dates compared with Stripe, from `reserves_public`."""

from datetime import date
from typing import Any, Final

from fleet.database import Tx

_DAY: Final = """
    SELECT business_date, currency, run, stripe_opening, stripe_moved, stripe_closing, books_opening,
           books_moved,
           books_closing, drift, explained, unexplained, breaks_open, stripe_as_of, books_as_of, completed_at,
           movements, signed_by, signed_at, content_hash
    FROM reserves_public.days LEFT JOIN reserves_public.signatures USING (business_date)
    WHERE business_date = :day ORDER BY currency
"""


async def day(tx: Tx, business_date: date) -> list[dict[str, Any]]:
    """A date's comparison, for each currency."""
    return [dict(row._mapping) for row in await tx.all(_DAY, day=business_date)]


_DAYS: Final = """
    SELECT business_date, currency, run, stripe_closing, books_closing, drift, explained, unexplained,
           breaks_open,
           completed_at
    FROM reserves_public.days ORDER BY business_date DESC, currency OFFSET :skip LIMIT :most
"""


async def days(tx: Tx, *, most: int, skip: int = 0) -> list[dict[str, Any]]:
    """Dates that were compared, newest first."""
    return [dict(row._mapping) for row in await tx.all(_DAYS, most=most, skip=skip)]


_BREAKS: Final = """
    SELECT id AS break, class, amount, currency, day, state, opened_at, sentence, proposal, accepted_by,
           accepted_by_one_up_to, subject, classed_at, accepted_at, closed_at, refused
    FROM reserves_public.breaks
    WHERE (:closed OR closed_at IS NULL) AND (:timing OR class <> 'timing')
      AND (CAST(:class AS text) IS NULL OR class = :class)
    ORDER BY opened_at, id OFFSET :skip LIMIT :most
"""


async def breaks(
    tx: Tx, *, closed: bool, timing: bool, named: str | None, most: int, skip: int = 0
) -> list[dict[str, Any]]:
    """Breaks, the oldest first. closed, timing: also those; named: only of this class."""
    rows = await tx.all(
        _BREAKS, closed=closed, timing=timing or named == "timing", **{"class": named}, most=most, skip=skip
    )
    return [dict(row._mapping) for row in rows]


_BREAK: Final = """
    SELECT id AS break, class, amount, currency, day, state, sentence, subject, proposal,
           accepted_by_one_up_to,
           opened_at, classed_at, accepted_at, closed_at, refused
    FROM reserves_public.breaks WHERE id = :id
"""
_ACCEPTANCES: Final = """
    SELECT who, why, accepted_at, counts FROM reserves_public.acceptances WHERE break_id = :id ORDER BY
           accepted_at
"""
# The subject names a line, a journal, or a match: `kind:name` with the currency after a match's.
_LINES: Final = """
    SELECT transaction_id, type, amount, fee, net, currency, source_id, made_at, day, version
    FROM reserves_public.stripe_lines
    WHERE :kind = 'line' AND transaction_id = :name OR :kind = 'match' AND match_id = :name ORDER BY made_at
"""
_JOURNALS: Final = """
    SELECT source, event_type, -amount AS cash, currency, parties, occurred_at, day
    FROM reserves_public.book_lines
    WHERE :kind = 'journal' AND CAST(journal_id AS text) = :name OR :kind = 'match' AND match_id = :name
    ORDER BY recorded_at
"""


async def one_break(tx: Tx, break_id: int) -> dict[str, Any] | None:
    """A break with its lines and journals, what is proposed, and who accepted it."""
    row = await tx.first(_BREAK, id=break_id)
    if row is None:
        return None
    kind, _, name = row.subject.partition(":")
    named = {"kind": kind, "name": name[:-4] if kind == "match" else name}
    return dict(row._mapping) | {
        "acceptances": [dict(one._mapping) for one in await tx.all(_ACCEPTANCES, id=break_id)],
        "lines": [dict(one._mapping) for one in await tx.all(_LINES, **named)],
        "journals": [dict(one._mapping) for one in await tx.all(_JOURNALS, **named)],
    }
