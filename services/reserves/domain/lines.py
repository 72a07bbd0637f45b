"""Both sides of the comparison with Stripe: lines of its balance, and journals that move its cash. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from fleet.zones import local_date

EXTERNAL_STRIPE: Final = "external:stripe"
PAYMENTS: Final = "payments"  # the balance of Stripe's that the books have
_COMPARED: Final = ("type", "balance_type", "amount", "fee", "net", "currency", "source_id")
OPENING: Final = "opening"  # the type of the line that stands for all that no line is listed of


@dataclass(frozen=True, slots=True, kw_only=True)
class StripeLine:
    """A row of Stripe's balance in minor units: amount less fee is net; what comes in is positive.

    expected: the sources of its journals, as far as the row says them. is_before: it was there before payouts
    began to list. version, noted_at: which showing of it this is.
    """

    transaction_id: str
    version: int
    type: str
    category: str
    balance_type: str
    amount: int
    fee: int
    net: int
    currency: str
    source_id: str | None
    made_at: datetime
    available_at: datetime
    expected: tuple[str, ...]
    is_before: bool
    noted_at: datetime

    @property
    def counts(self) -> int:
        """What of it the books must have; money in other balances of Stripe's is not in theirs."""
        return self.net if self.balance_type == PAYMENTS else 0

    def is_newer_than(self, version: int, noted_at: datetime) -> bool:
        """Whether this is a later showing: after a restore of payouts versions begin again, times do not."""
        return self.version > version or self.noted_at > noted_at

    def is_other_than(self, content: Mapping[str, Any]) -> bool:
        """Whether its cause or its money is another than in content that was kept."""
        kept = (*(content[name] for name in _COMPARED), list(content["expected"]))
        return kept != (*(getattr(self, name) for name in _COMPARED), list(self.expected))


@dataclass(frozen=True, slots=True, kw_only=True)
class BookLine:
    """A journal with entries on external:stripe; amount: their sum, credit positive.

    parties: the other wallets. version: of external:stripe after the journal's last entry on it.
    """

    journal_id: UUID
    source: str
    event_type: str
    currency: str
    amount: int
    at_stripe: bool
    parties: tuple[str, ...]
    occurred_at: datetime
    recorded_at: datetime
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """The school's time zone, and the last business date that was signed off."""

    time_zone: str
    frozen_until: date | None

    def day_of(self, at: datetime) -> date:
        """The business date on which what happened then counts: none that was signed off."""
        day = local_date(at, self.time_zone)
        if self.frozen_until is not None and day <= self.frozen_until:
            return self.frozen_until + timedelta(days=1)
        return day

    def is_frozen(self, day: date) -> bool:
        return self.frozen_until is not None and day <= self.frozen_until


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """What a day's total changes by, on each side; the books' as cash."""

    currency: str
    day: date
    stripe: int = 0
    books: int = 0


def newest(lines: Iterable[StripeLine]) -> dict[str, StripeLine]:
    """The latest showing of each line, by id."""
    found: dict[str, StripeLine] = {}
    for line in lines:
        known = found.get(line.transaction_id)
        if known is None or line.is_newer_than(known.version, known.noted_at):
            found[line.transaction_id] = line
    return found


def totals(moves: Iterable[Moved]) -> list[Moved]:
    """Moves added up by currency and day, in the order in which totals are locked."""
    sums: dict[tuple[str, date], list[int]] = {}
    for move in moves:
        both = sums.setdefault((move.currency, move.day), [0, 0])
        both[0] += move.stripe
        both[1] += move.books
    return [
        Moved(currency=currency, day=day, stripe=stripe, books=books)
        for (currency, day), (stripe, books) in sorted(sums.items())
        if stripe or books
    ]
