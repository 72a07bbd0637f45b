"""How far a student may fly on credit. Pure; amounts are minor units, credit positive.

The sums and the level are the database's (`credit_of`): lists, the gateway and the worker never differ.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Literal

from fleet.money import format_minor

Level = Literal["ok", "near", "close", "exceeded"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyCard:
    """A version of the book's card `credit` from a day on; None: it is withdrawn."""

    effective_from: date
    version: int
    policy: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitCard:
    """A version of a student's own card `credit_limit` from a day on. `until`: the last day it stands."""

    student: str
    effective_from: date
    version: int
    withdrawn: bool
    amount: int | None
    until: date | None
    frozen: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditPolicy:
    """The school's policy in force, see schemas/school.py."""

    default_limit: int | None = None
    margin_percent: int = 10
    hold_hours: int = 24
    near_percent: int = 80
    close_percent: int = 95
    allowed_by_one_up_to: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Credit:
    """How a student stands. credit_limit and room are None where there is no limit."""

    student: str
    currency: str
    posted: int
    pending: int
    available: int
    disputed: int
    credit_limit: int | None
    room: int | None
    used_percent: int | None
    level: Level
    frozen: bool
    own_limit: bool
    until: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """Why a charge is not allowed: the reason, a sentence, and what the student can do."""

    reason: Literal["frozen", "overdue", "limit_exceeded"]
    sentence: str
    shortfall: int | None
    ways: tuple[str, ...]


def within(credit: Credit, of_kind: int | None) -> Credit:
    """A student's credit for a flight of a kind, after which nobody owes more than `of_kind`."""
    if of_kind is None or (credit.credit_limit is not None and credit.credit_limit <= of_kind):
        return credit
    return replace(credit, credit_limit=of_kind, room=of_kind + credit.available - credit.disputed)


def check(credit: Credit, charge: int, under_way: int = 0) -> Refused | None:
    """Say why a student may not be charged so much more; None: they may.

    under_way: what is being charged to a saved card. It gives no room: it may be declined.
    """
    if credit.frozen:
        return Refused(
            reason="frozen",
            sentence=f"the school froze the credit of {credit.student}: no flight is cleared",
            shortfall=None,
            ways=("ask the school to end the freeze",),
        )
    if credit.room is None or charge <= credit.room:
        return None
    return too_little_room(credit.student, credit.currency, charge, charge - credit.room, under_way)


def too_little_room(student: str, currency: str, charge: int, shortfall: int, under_way: int = 0) -> Refused:
    """A charge for which there is too little room; shortfall: what is missing; under_way: see `check`."""
    waits = (f"wait: {format_minor(under_way, currency)} {currency} are being charged to the saved card",)
    missing = f"{format_minor(shortfall, currency)} {currency}"
    asked = f"{format_minor(charge, currency)} {currency}"
    return Refused(
        reason="limit_exceeded",
        sentence=f"{asked} more are {missing} beyond what {student} may owe",
        shortfall=shortfall,
        ways=(
            *(waits if under_way else ()),
            f"pay {missing} or more first",
            "plan a shorter flight",
            "ask the school to allow this flight",
        ),
    )


def overdue(student: str, currency: str, amount: int) -> Refused:
    """A charge of a student whose bills are overdue so long that the school clears no flight."""
    missing = f"{format_minor(amount, currency)} {currency}"
    return Refused(
        reason="overdue",
        sentence=f"{missing} of {student} are overdue: no flight is cleared until they are paid",
        shortfall=None,
        ways=(f"pay {missing} first", "ask the school to allow this flight"),
    )
