"""What becomes of a flight: a bill (lines for the student, legs to others, the margin), a refusal, a repeat.

Pure data. Money is integer minor units, hours are integer tenths.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

from services.billing.domain.flights import Flight, Named
from services.billing.domain.rates import DatedCard

PLATFORM = "platform:school"
TAX = "liability:tax"

# These lists are complete: metrics.py starts each value's counter at 0.
Reason = Literal[
    "aircraft_missing",
    "arrived_before_departed",
    "billed_elsewhere",
    "billed_under_another_revision",
    "billed_with_other_content",
    "date_out_of_range",
    "flight_is_cancelled",
    "hours_missing",
    "hours_negative",
    "hours_not_tenths",
    "hours_over_24",
    "identifier_too_long",
    "instructor_missing",
    "meter_in_before_out",
    "meter_out_of_range",
    "no_rate_in_force",
    "revision_passed",
    "school_not_configured",
    "self_instruction",
    "unknown_aircraft",
    "unknown_instructor",
    "unknown_owner",
    "unknown_student",
    "waits_with_other_content",
]
RevisionKind = Literal["corrected", "cancelled"]
PricedBy = Literal["bill", "book"]
FlagKind = Literal[
    "meter_mismatch", "meter_rolled_over", "negative_margin", "owner_flies_own_aircraft", "reading_missing"
]
HoursSource = Literal["hobbs", "tach", "logged", "none"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of the student's bill. `rate` is per hour; `parts` divide a bundled line by kind."""

    kind: str
    description: str
    amount: int
    tenths: int | None = None
    rate: int | None = None
    parts: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """What a wallet other than the school's gets of a bill, in minor units, and what for."""

    wallet: str
    kind: str
    amount: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag:
    """Something for a person to look at; the bill stands."""

    kind: FlagKind
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """Tenths the aircraft is billed by, and where they are from."""

    billed: int
    source: HoursSource


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """Why a bill is of a correction or a cancellation. `corrects`: the flight's first bill, or this is it."""

    kind: RevisionKind
    reason: str
    made_by: str
    priced_by: PricedBy
    corrects: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """A priced flight: charge - legs = margin. `named` are the cards that priced it."""

    flight: Flight
    fingerprint: str
    billed_on: date
    occurred_at: datetime
    currency: str
    charge: int
    margin: int
    hours: Hours
    lines: tuple[Line, ...]
    legs: tuple[Leg, ...]
    flags: tuple[Flag, ...]
    named: tuple[DatedCard, ...]
    school_version: int
    correction: Correction | None = None

    def entries(self) -> list[tuple[str, int]]:
        """The journal's entries, one for each wallet, credit positive; empty when nothing is owed."""
        legs = [(leg.wallet, leg.amount) for leg in self.legs]
        return entries_of(self.flight.student, self.charge, legs, self.margin)


def entries_of(
    student: str, charge: int, legs: Iterable[tuple[str, int]], margin: int
) -> list[tuple[str, int]]:
    """What a bill leaves on each wallet, credit positive; none of zero. `legs`: wallet and amount."""
    amounts = {f"student:{student}": -charge}
    for wallet, amount in legs:
        amounts[wallet] = amounts.get(wallet, 0) + amount
    amounts[PLATFORM] = amounts.get(PLATFORM, 0) + margin
    return [(wallet, amount) for wallet, amount in amounts.items() if amount]


@dataclass(frozen=True, slots=True, kw_only=True)
class FlightRefusal:
    """A flight or a revision that is not billed: the reason, and a sentence for a finance clerk."""

    flight: Named
    reason: Reason
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeat:
    """The same flight or revision with the same content again: there is nothing to do."""

    flight: Named


@dataclass(frozen=True, slots=True, kw_only=True)
class Billed:
    """What is known of a flight that has a bill, or that was cancelled when it had none (`cancelled`)."""

    revision: int
    fingerprint: str
    cancelled: bool = False


BillingResult = Bill | FlightRefusal | Repeat


def refuse(flight: Named, reason: Reason, sentence: str) -> FlightRefusal:
    """Say why a flight is not billed."""
    return FlightRefusal(flight=flight, reason=reason, sentence=f"flight {flight.flight_id}: {sentence}")


def lines_and_legs(bill: Bill) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """A bill's lines and legs as they are stored (JSON values), to compare a bill priced again with."""
    lines = [
        {
            "kind": line.kind,
            "description": line.description,
            "amount": line.amount,
            "tenths": line.tenths,
            "rate": line.rate,
            "parts": [list(part) for part in line.parts],
        }
        for line in bill.lines
    ]
    return lines, [{"wallet": leg.wallet, "kind": leg.kind, "amount": leg.amount} for leg in bill.legs]
