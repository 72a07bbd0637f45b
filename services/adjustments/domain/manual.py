"""Amounts by hand for a flight that other software billed: what it charged is not known here. Pure.

Each is a revision of its own, beside what was posted by hand before; a person other than its maker approves
it. Amounts are minor units, credit positive, by wallet. They are dated the instant they are asked for: the
flight may be in a closed period, and before the opening balances.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from uuid import NAMESPACE_URL, uuid5

from services.adjustments.domain import flights
from services.adjustments.domain.adjustments import Adjustment
from services.adjustments.domain.flights import FirstBill, Revision
from services.adjustments.domain.recoveries import SCHOOL
from services.adjustments.domain.settlements import is_payee

MANUAL: Final = "manual"
FIRST: Final = 2
AMOUNT_MAX: Final = 10**15


@dataclass(frozen=True, slots=True, kw_only=True)
class BilledElsewhere:
    """A flight that other software billed, as billing keeps it."""

    flight_id: str
    student: str
    currency: str
    billed_on: date

    @property
    def first(self) -> FirstBill:
        """Its first bill: nothing of it is in the ledger."""
        return FirstBill(currency=self.currency, source=f"flight:{self.flight_id}:1", entries={})


def refused_amounts(flight: BilledElsewhere, amounts: Mapping[str, object]) -> str | None:
    """Why these are no amounts of this flight, as a sentence; None when they are."""
    if not amounts:
        return "name at least one wallet and its amount"
    student = f"student:{flight.student}"
    for wallet, amount in amounts.items():
        if wallet != student and not is_payee(wallet):
            return (
                f"{wallet} is neither {student} nor an instructor's or owner's wallet; "
                f"what is left is {SCHOOL}'s"
            )
        if isinstance(amount, bool) or not isinstance(amount, int) or not 0 < abs(amount) <= AMOUNT_MAX:
            return f"{wallet}: an amount is a whole number of minor units other than 0"
    return None


def by_hand(
    flight: BilledElsewhere,
    known: Sequence[Adjustment],
    amounts: Mapping[str, int],
    *,
    made_by: str,
    reason: str,
    now: datetime,
) -> Revision:
    """The flight's next revision: what stands, and these amounts; the school takes what is left."""
    entries = flights.standing(flight.first, known)
    for wallet, amount in [*amounts.items(), (SCHOOL, -sum(amounts.values()))]:
        entries[wallet] = entries.get(wallet, 0) + amount
    revision = max((one.revision for one in known), default=FIRST - 1) + 1
    return Revision(
        flight_id=flight.flight_id,
        revision=revision,
        kind=MANUAL,
        bill_id=uuid5(NAMESPACE_URL, f"hobbs:manual:{flight.flight_id}:{revision}"),
        first=flight.first,
        entries={wallet: amount for wallet, amount in sorted(entries.items()) if amount},
        student_before=flight.student,
        student=flight.student,
        flown_on=flight.billed_on,
        occurred_at=now,
        priced_by="bill",
        reason=reason,
        made_by=made_by,
    )
