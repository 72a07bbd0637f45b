"""What a person gives or takes of an account besides payments. Pure; amounts are positive minor units.

A refund of what was overpaid, a credit note or a write-off of a bill, and the fee of a bounced cheque. The
school bears what is credited or written off: what instructors and owners should share is a correction.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Final, Literal
from uuid import NAMESPACE_URL, UUID, uuid5

from fleet.money import format_minor
from services.receivables.domain.charges import Posting, PostingEntry
from services.receivables.domain.postings import SCHOOL
from services.receivables.domain.recorded_payments import BANK, CASH, RecordedPayment

Kind = Literal["refund", "credit_note", "write_off", "cheque_fee"]
Way = Literal["card", "cash", "cheque", "bank_transfer"]
State = Literal["waits", "asked", "posted", "settled", "refused", "reverted"]
Said = Literal["approve", "refuse", "revert"]
WAYS: Final[Mapping[Way, str]] = {
    "card": "to the card or account it was paid with",
    "cash": "in cash",
    "cheque": "by cheque",
    "bank_transfer": "by bank transfer",
}
KINDS: Final[Mapping[Kind, str]] = {
    "refund": "refund",
    "credit_note": "credit note",
    "write_off": "write-off",
    "cheque_fee": "fee of a bounced cheque",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """One such act. bill: the item that a credit note or write-off is against; way, number: of a refund."""

    id: UUID
    kind: Kind
    student: str
    currency: str
    amount: int
    bill: str | None = None
    way: Way | None = None
    number: str | None = None
    paid_on: date | None = None
    payment_id: UUID | None = None
    needs_second: bool
    state: State
    asked_by: str
    asked_at: datetime
    why: str
    approved_by: str | None = None

    def in_words(self) -> str:
        """Which act it is."""
        amount = f"{format_minor(self.amount, self.currency)} {self.currency}"
        of = f"for {self.bill} of {self.student}" if self.bill else f"of {self.student}"
        how = f" {WAYS[self.way]}" if self.way else ""
        return f"{KINDS[self.kind]} {of}, {amount}{how}"


def begun(note: Note) -> State:
    """The state of an act once everybody whom it needs has agreed. Payouts is asked for a card's refund."""
    return "asked" if note.way == "card" else "posted"


def cheque_fee(bounced: RecordedPayment, fee: int, who: str, now: datetime) -> Note:
    """What a bounced cheque costs the student by the book; one for each payment."""
    return Note(
        id=uuid5(NAMESPACE_URL, f"hobbs:cheque-fee:{bounced.id}"),
        kind="cheque_fee",
        student=bounced.student,
        currency=bounced.currency,
        amount=fee,
        payment_id=bounced.id,
        needs_second=False,
        state="posted",
        asked_by=who,
        asked_at=now,
        why=f"cheque {bounced.number} bounced",
    )


# What people may say of an act, and the states it may be in then.
MOVES: Final[Mapping[Said, frozenset[State]]] = {
    "approve": frozenset({"waits"}),
    "refuse": frozenset({"waits"}),
    "revert": frozenset({"posted"}),
}


def moved(note: Note, said: Said) -> Note | str:
    """An act after what a person says of it; or a sentence why that cannot be."""
    if note.state not in MOVES[said]:
        return f"{note.in_words()}, {_STANDS[note.state]}"
    if said == "approve":
        return replace(note, state=begun(note))
    return replace(note, state="refused" if said == "refuse" else "reverted")


_STANDS: Final[Mapping[State, str]] = {
    "waits": "waits for a second person",
    "asked": "is with Stripe",
    "posted": "is posted",
    "settled": "was answered by Stripe: what went back there is taken back there",
    "refused": "was refused",
    "reverted": "was reverted",
}


def posting(note: Note, now: datetime) -> Posting | None:
    """The journal of an act as it stands; None where no money moves here: Stripe tells of a card's refund."""
    if note.state == "posted":
        return _posting(note, _source(note), _TYPES[note.kind], _legs(note), now)
    if note.state == "reverted":
        to, of = _legs(note)
        return _posting(note, f"note-reverted:{note.id}", "note_reverted", (of, to), now)
    return None


def _source(note: Note) -> str:
    return {
        "refund": f"paid-out:{note.id}",
        "credit_note": f"credit-note:{note.id}",
        "write_off": f"write-off:{note.id}",
        "cheque_fee": f"cheque-fee:{note.id}",
    }[note.kind]


_TYPES: Final[Mapping[Kind, str]] = {
    "refund": "refund_paid_out",
    "credit_note": "credit_note",
    "write_off": "write_off",
    "cheque_fee": "cheque_fee",
}


def _legs(note: Note) -> tuple[str, str]:
    """The wallet that gets the amount, and the one that gives it."""
    student = f"student:{note.student}"
    if note.kind == "refund":
        return (CASH if note.way == "cash" else BANK), student
    return (SCHOOL, student) if note.kind == "cheque_fee" else (student, SCHOOL)


def _posting(note: Note, source: str, event_type: str, legs: tuple[str, str], now: datetime) -> Posting:
    to, of = legs
    return Posting(
        source=source,
        event_type=event_type,
        currency=note.currency,
        occurred_at=now,
        entries=(
            PostingEntry(wallet=to, amount=note.amount),
            PostingEntry(wallet=of, amount=-note.amount),
        ),
        memo=" ".join(filter(None, (KINDS[note.kind], note.bill or note.number))),
    )
