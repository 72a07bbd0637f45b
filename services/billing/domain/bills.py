"""What becomes of a flight: a bill (lines for the student, legs to others, the margin), a refusal, a repeat.

Pure data. Money is integer minor units, hours are integer tenths.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from services.billing.domain.flights import Flight
from services.billing.domain.rates import Dated

PLATFORM = "platform:school"
TAX = "liability:tax"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line the student reads. `parts` are a bundled line's inner amounts by kind."""

    kind: str
    description: str
    amount: int
    tenths: int | None = None
    rate: int | None = None
    parts: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """What a wallet other than the school's gets, and what for."""

    wallet: str
    kind: str
    amount: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag:
    """Something for a person to look at; the bill stands."""

    kind: str
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """Tenths the aircraft is billed by, and where they are from: hobbs, tach, logged or none."""

    billed: int
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """A priced flight: charge - legs = margin."""

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
    named: tuple[Dated, ...]
    school_version: int

    def entries(self) -> list[tuple[str, int]]:
        """The journal's entries, one for each wallet, credit positive; empty when nothing is owed."""
        amounts = {f"student:{self.flight.student}": -self.charge}
        for leg in self.legs:
            amounts[leg.wallet] = amounts.get(leg.wallet, 0) + leg.amount
        amounts[PLATFORM] = amounts.get(PLATFORM, 0) + self.margin
        return [(wallet, amount) for wallet, amount in amounts.items() if amount]


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A flight that cannot be billed as it is: a reason class and a sentence for a finance clerk."""

    flight: Flight
    reason: str
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeat:
    """The same flight with the same content again: already billed, nothing to do."""

    flight: Flight


@dataclass(frozen=True, slots=True, kw_only=True)
class Billed:
    """What is known of a flight that has a bill."""

    revision: int
    fingerprint: str


Verdict = Bill | Refusal | Repeat


def refuse(flight: Flight, reason: str, sentence: str) -> Refusal:
    """Say why a flight is not billed."""
    return Refusal(flight=flight, reason=reason, sentence=f"flight {flight.flight_id}: {sentence}")


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
