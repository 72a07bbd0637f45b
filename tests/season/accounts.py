"""What a student's account should be: documents, holds, disputes, limits. Nothing here asks the services.

Written from what the school is promised: what was flown is owed, what is paid settles what is due first, a
flight is cleared within the limit that stands that day. Amounts are minor units, credit positive.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

TERMS = timedelta(days=4)
MARGIN_PERCENT = 10
SOLO_HOUR = 165_00 + 924  # the aircraft, and its tax
DUAL_HOUR = SOLO_HOUR + 70_00
BOOK_LIMIT, SOLO_LIMIT = 900_00, 800_00
HOLD_FOR = timedelta(hours=6)
AGES = ((1, 30, "days_1_30"), (31, 60, "days_31_60"), (61, 90, "days_61_90"), (91, 10_000, "over_90"))


def price(hours: int, *, dual: bool) -> int:
    return hours * (DUAL_HOUR if dual else SOLO_HOUR)


def with_margin(amount: int) -> int:
    """An estimate as it is held: rounded up."""
    return -(-amount * (100 + MARGIN_PERCENT) // 100)


@dataclass(slots=True, kw_only=True)
class Document:
    """A bill, a payment or a refund with all that changes it later."""

    amount: int
    due: date


@dataclass(slots=True, kw_only=True)
class Hold:
    """What a cleared flight keeps."""

    amount: int
    ends: datetime


@dataclass(slots=True, kw_only=True)
class Limit:
    """A card of the student's own, from a day on."""

    since: date
    amount: int | None
    frozen: bool
    until: date | None


@dataclass(slots=True, kw_only=True)
class Moved:
    """A change of a limit that the policy found, and the book's word instead of which it stands."""

    cause: str
    before: int
    after: int
    said: tuple[int | None, Limit | None]
    alone: bool  # in force without a person
    state: str  # proposed, in_force, refused, lapsed
    on: date | None = None  # in force, or refused
    at: datetime | None = None

    @property
    def rises(self) -> bool:
        return self.after > self.before


@dataclass(slots=True, kw_only=True)
class Note:
    """A credit note, write-off or refund that a person asked for."""

    kind: str
    amount: int
    bill: str
    at: datetime
    alone: bool
    state: str  # waits, posted, refused


@dataclass(slots=True, kw_only=True)
class Account:
    """One student."""

    name: str
    documents: dict[str, Document] = field(default_factory=dict)
    holds: dict[str, Hold] = field(default_factory=dict)
    disputed: dict[str, int] = field(default_factory=dict)
    in_question: dict[str, int] = field(default_factory=dict)  # by flight: what an approval would give back
    limits: list[Limit] = field(default_factory=list)
    allowed: dict[str, list[tuple[int, datetime]]] = field(
        default_factory=dict
    )  # by flight, each with its end
    notes: dict[str, Note] = field(default_factory=dict)
    named: dict[str, str] = field(default_factory=dict)  # the bill that a payment pays first
    moved: list[Moved] = field(default_factory=list)  # by the book's policy
    blocked: bool = False  # a step of the open run said so

    # What is on it

    def post(self, document: str, amount: int, day: date) -> None:
        kept = self.documents.setdefault(document, Document(amount=0, due=day + TERMS))
        kept.amount += amount

    @property
    def balance(self) -> int:
        return sum(document.amount for document in self.documents.values())

    @property
    def pending(self) -> int:
        return sum(hold.amount for hold in self.holds.values())

    @property
    def under_dispute(self) -> int:
        return sum(self.disputed.values())

    def open(self) -> dict[str, int]:
        """What is open of each document: named bills are paid first, then what is due, on either side."""
        found = {}
        for side in (-1, 1):
            named = self._paid_by_name() if side < 0 else {}
            left = sum(max(-side * document.amount, 0) for document in self.documents.values())
            left -= sum(named.values())
            for name, document in sorted(self.documents.items(), key=lambda one: (one[1].due, one[0])):
                mine = max(side * document.amount, 0) - named.get(name, 0)
                settled = min(mine, left)
                left -= settled
                if mine > settled:
                    found[name] = side * (mine - settled)
        return found

    def _paid_by_name(self) -> dict[str, int]:
        """What the payments that name a bill have for it, no more than it is."""
        paid: dict[str, int] = {}
        for payment, bill in self.named.items():
            paid[bill] = paid.get(bill, 0) + max(self.documents[payment].amount, 0)
        return {bill: min(amount, max(-self.documents[bill].amount, 0)) for bill, amount in paid.items()}

    def overdue(self, day: date) -> dict[str, int]:
        return {n: -left for n, left in self.open().items() if left < 0 and self.documents[n].due < day}

    def ageing(self, day: date) -> dict[str, int]:
        """What is owed by how long it is overdue, and the credit; without what is zero."""
        found: dict[str, int] = {}
        for name, left in self.open().items():
            days = (day - self.documents[name].due).days
            age = next((age for first, last, age in AGES if first <= days <= last), "not_due")
            column = "credit" if left > 0 else age
            found[column] = found.get(column, 0) + abs(left)
        return found

    # Whether they may fly

    def card(self, day: date) -> Limit | None:
        """Their own limit that stands on a day."""
        standing = [
            one for one in self.limits if one.since <= day and (one.until is None or day <= one.until)
        ]
        return max(standing, key=lambda one: one.since, default=None)

    def said(self, day: date) -> tuple[int | None, Limit | None]:
        """What the book says on a day, and the card of their own that says it."""
        card = self.card(day)
        return (card.amount if card else BOOK_LIMIT), card

    def own(self, day: date) -> int | None:
        """The limit of a day: the last that moved, as long as the book says what it said then."""
        amount, card = self.said(day)
        last = next((one for one in reversed(self.moved) if one.state == "in_force"), None)
        if last and last.said[0] == amount and last.said[1] is card:
            return last.after
        return amount

    def limit(self, day: date, *, dual: bool) -> int | None:
        own = self.own(day)
        kinds = [own] if dual else [own, SOLO_LIMIT]
        return min((one for one in kinds if one is not None), default=None)

    def frozen(self, day: date) -> bool:
        card = self.card(day)
        return card is not None and card.frozen

    def answer(self, flight: str, hours: int, now: datetime, day: date, *, dual: bool) -> str:
        """What the scheduler is to be told of a dispatch."""
        if self.frozen(day):
            return "frozen"
        allowed = sum(amount for amount, until in self.allowed.get(flight, []) if until > now)
        if self.blocked and self.overdue(day) and not allowed:
            return "overdue"
        limit = self.limit(day, dual=dual)
        if limit is None:
            return "cleared"
        others = self.pending - (self.holds[flight].amount if flight in self.holds else 0)
        room = limit + self.balance - others - self.under_dispute + allowed
        return "cleared" if with_margin(price(hours, dual=dual)) <= room else "limit_exceeded"

    # What people may give

    def promised(self, kinds: Iterable[str], bill: str = "") -> int:
        named = set(kinds)
        return sum(
            note.amount
            for note in self.notes.values()
            if note.state == "waits" and note.kind in named and note.bill == bill
        )

    def most(self, kind: str, bill: str = "") -> int:
        """How far a credit note, a write-off or a refund may go."""
        if kind == "refund_credit":
            return self.balance - self.pending - self.under_dispute - self.promised([kind])
        of = self.documents[bill].amount if kind == "credit_bill" else self.open().get(bill, 0)
        return -of - self.promised(["credit_bill", "write_off_bill"], bill)
