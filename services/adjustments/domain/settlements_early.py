"""Answers to settlements that are not known here: a database restored from a backup has forgotten them. Pure.

Decided again, a settlement has the same id, and nobody answers twice: the answer is kept until then.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from fleet.money import format_minor
from services.adjustments.domain.settlements import BY_JOURNAL, Method, Settlement, journal_entries
from services.adjustments.domain.settlements_sent import Posted, Refunded, Reversed

TOLD_AFTER: Final = timedelta(hours=1)

Answer = Posted | Reversed | Refunded


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """An answer that finance has to hear of."""

    settlement_id: UUID
    sentence: str


def is_answer_to(answer: Answer, row: Settlement) -> bool:
    """Whether this answers a settlement of that method; a journal also has to be the one asked for."""
    match answer:
        case Posted(entries=entries):
            return row.method in BY_JOURNAL and dict(entries) == journal_entries(row)
        case Reversed():
            return row.method is Method.STRIPE_REVERSAL
        case Refunded():
            return row.method is Method.REFUND


def contradiction(answer: Answer, chosen: Settlement) -> str | None:
    """Why a person cannot decide this: it was decided, and answered, otherwise before. None: they can."""
    same = is_answer_to(answer, chosen)
    if same and (isinstance(answer, Posted) or answer.asked == abs(chosen.amount)):
        return None
    return f"before the database was restored it was settled otherwise: {describe(answer, chosen.currency)}"


def describe(answer: Answer, currency: str) -> str:
    """What was answered, for a person who decides it again."""
    if isinstance(answer, Posted):
        parts = (f"{format_minor(n, currency)} on {wallet}" for wallet, n in sorted(answer.entries.items()))
        return f"the ledger posted its journal, {', '.join(parts)}; decide the same again"
    what, how = ("stripe_reversal", "came back") if isinstance(answer, Reversed) else ("refund", "went back")
    asked, back = format_minor(answer.asked, currency), format_minor(answer.came_back.amount, currency)
    return f"{what} of {asked} {currency}, of which {back} {how}; decide the same again"
