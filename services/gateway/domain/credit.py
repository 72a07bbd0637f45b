"""What a scheduler is told of a student's credit. Pure; receivables decides, this puts it into words."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from fleet.money import format_minor

Reason = Literal["frozen", "overdue", "limit_exceeded", "unknown_student"]
Way = Literal["wait", "pay", "plan_shorter", "ask_school"]

WAYS: Final[Mapping[str, tuple[Way, ...]]] = {
    "unknown_student": ("ask_school",),
    "frozen": ("ask_school",),
    "overdue": ("pay", "ask_school"),
    "limit_exceeded": ("pay", "plan_shorter", "ask_school"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A student's credit beside a charge. Minor units, credit positive; None: there is no limit.

    held: what a dispatch would hold for the charge. reason: None when it is allowed. overdue: what must be
    paid before any flight is cleared, None where nothing blocks.
    """

    currency: str
    posted: int
    pending: int
    available: int
    disputed: int
    under_way: int
    credit_limit: int | None
    room: int | None
    used_percent: int | None
    level: Literal["ok", "near", "close", "exceeded"]
    held: int
    reason: Reason | None
    shortfall: int | None
    overdue: int | None


def ways_out(standing: Standing) -> tuple[Way, ...]:
    """What the student can do; empty when the charge is allowed."""
    if standing.reason is None:
        return ()
    waits: tuple[Way, ...] = ("wait",) if standing.reason == "limit_exceeded" and standing.under_way else ()
    return waits + WAYS[standing.reason]


def in_words(standing: Standing, student: str) -> str:
    """The answer as a sentence."""
    match standing.reason:
        case None:
            return f"{student} may be charged"
        case "unknown_student":
            return f"no student {student!r} has a card or a bill: spell it as in the school's book"
        case "frozen":
            return f"the school froze the credit of {student}: no flight is cleared"
        case "overdue":
            owed = format_minor(standing.overdue or 0, standing.currency)
            return f"{owed} {standing.currency} are overdue: no flight is cleared until they are paid"
        case "limit_exceeded":
            missing = format_minor(standing.shortfall or 0, standing.currency)
            return f"{missing} {standing.currency} are missing to what {student} may owe"
