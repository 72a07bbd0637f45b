"""A flight that a person allows beyond the limit. Pure; amounts are minor units."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from fleet.money import format_minor

LONGEST: Final = timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """How much further a student's balance may go for one flight, until an instant.

    needs_second: it stands only once somebody else than `asked_by` has agreed.
    """

    id: UUID
    flight_id: str
    student: str
    currency: str
    amount: int
    until: datetime
    asked_by: str
    asked_at: datetime
    why: str
    needs_second: bool
    approved_by: str | None = None
    closed_by: str | None = None

    def in_words(self) -> str:
        """What is allowed, as the beginning of a sentence."""
        amount = f"{format_minor(self.amount, self.currency)} {self.currency}"
        until = f"{self.until:%Y-%m-%d %H:%M} UTC"
        return f"{self.student} may owe {amount} beyond the limit for flight {self.flight_id} until {until}"
