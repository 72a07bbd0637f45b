"""What is taken off which payment, when the school takes at most a share of each (decision 0216). Pure.

Amounts are minor units of one currency, all positive.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from uuid import UUID

WHOLE_PERCENT: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """At most `percent` of each payment is taken off for debts of corrections."""

    percent: int = WHOLE_PERCENT

    @property
    def is_whole(self) -> bool:
        return self.percent >= WHOLE_PERCENT

    def of(self, gross: int) -> int:
        return gross * self.percent // 100


WHOLE: Final = Share()


@dataclass(frozen=True, slots=True, kw_only=True)
class SharePolicy:
    """A dated policy of the school's book; percent None: the card is withdrawn."""

    effective_from: date
    version: int
    percent: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rest:
    """What is left of a debt of which a transfer takes a part. source: the debt's journal.

    to: another transfer of the same decision that takes the rest, None: it stays open.
    """

    source: str
    amount: int
    accrued_at: datetime
    to: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A payment that may be made: its amount, and what was taken off before that counts as its share."""

    amount: int
    deducted: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Touch:
    """How much of a debt, by its place, one payment takes. rest: what is left of the debt then."""

    debt: int
    amount: int
    rest: int


@dataclass(slots=True)
class _Debts:
    left: list[int]
    at: int = 0

    def take(self, most: int) -> list[Touch]:
        touches: list[Touch] = []
        while most > 0 and self.at < len(self.left):
            amount = min(most, self.left[self.at])
            self.left[self.at] -= amount
            touches.append(Touch(debt=self.at, amount=amount, rest=self.left[self.at]))
            most -= amount
            self.at += self.left[self.at] == 0
        return touches


def deduct(parts: Sequence[Part], debts: Sequence[int], share: Share, least: int) -> list[list[Touch]]:
    """Take debts off payments, the oldest debt first, never more than the share of each.

    debts: oldest first. least: what a payment must leave to be worth a transfer.
    """
    owed = _Debts(left=list(debts))
    return [
        owed.take(min(share.of(part.amount + part.deducted) - part.deducted, part.amount - least))
        for part in parts
    ]
