"""What stands on a student's account, item by item. Pure; amounts are minor units, credit positive.

Whichever order journals come in, the items are the same: payments settle the bill that they name, the rest of
them what is due first, so what is open stands on the items that are due last. `open_amounts` says it;
store/open_items.py does the same to many accounts at once.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final, NamedTuple
from uuid import UUID

AGES: Final = ("not_due", "days_1_30", "days_31_60", "days_61_90", "over_90")


class Account(NamedTuple):
    """A student's wallet in one currency."""

    student: str
    currency: str


class Posted(NamedTuple):
    """A journal that the ledger announced. of_students: it says that it moved a student's wallet."""

    journal_id: UUID
    source: str
    of_students: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What a journal put on a student's wallet, and the item it belongs to. booked_on: the school's date."""

    journal_id: UUID
    student: str
    currency: str
    document: str
    source: str
    amount: int
    booked_on: date

    @property
    def account(self) -> Account:
        return Account(self.student, self.currency)


class Item(NamedTuple):
    """What belongs together on an account, such as a bill and its corrections.

    named: what payments that name it pay of it, before any other does.
    """

    due_on: date
    document: str
    amount: int
    named: int = 0


def open_amounts(items: Iterable[Item]) -> Mapping[str, int]:
    """What is open of each item that is not settled, by document; they sum to the account's balance."""
    known = sorted(items, reverse=True)
    left = sum(item.amount for item in known)
    side = -1 if left < 0 else 1
    found = {}
    for item in known:
        rest = item.amount * side - item.named
        if rest > 0 and left:
            found[item.document] = side * min(rest, left * side)
            left -= found[item.document]
    return found
