"""What stands in the ledger for a flight, and what one more revision changes. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from services.adjustments.domain.adjustments import STANDING, Adjustment, Amounts, Kind, PricedBy, State


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstBill:
    """The journal of a flight's first bill, and what it put on each wallet."""

    currency: str
    source: str
    entries: Amounts


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """A correction or cancellation as billing priced it: whole, never a difference."""

    flight_id: str
    revision: int
    kind: Kind
    bill_id: UUID
    first: FirstBill
    entries: Amounts
    student_before: str
    student: str
    flown_on: date
    occurred_at: datetime
    priced_by: PricedBy
    reason: str
    made_by: str

    @property
    def name(self) -> str:
        return f"{self.flight_id}:{self.revision}"


def standing(first: FirstBill, adjustments: Sequence[Adjustment]) -> dict[str, int]:
    """What the ledger holds for the flight on each wallet: its first bill and what was added to it since."""
    total = dict(first.entries)
    for one in adjustments:
        if one.state in STANDING:
            for wallet, amount in one.differences.items():
                total[wallet] = total.get(wallet, 0) + amount
    return total


def paid_by(first: FirstBill, adjustments: Sequence[Adjustment]) -> tuple[str, ...]:
    """The sources of the journals that stand, in their order."""
    journals = [one.source for one in adjustments if one.state in STANDING and one.differences]
    return ((first.source,) if first.entries else ()) + tuple(journals)


def differences(entries: Amounts, stands: Amounts) -> dict[str, int]:
    """What has to be added to what stands, by wallet; wallets that do not change are left out."""
    changes = {wallet: entries.get(wallet, 0) - stands.get(wallet, 0) for wallet in {*entries, *stands}}
    return {wallet: amount for wallet, amount in sorted(changes.items()) if amount}


def under_way(adjustments: Sequence[Adjustment]) -> bool:
    """Whether a journal of the flight was asked for and not answered yet."""
    return any(one.state is State.APPROVED for one in adjustments)
