"""Payments that a person records: cash, cheques, bank transfers. Pure; amounts are positive minor units.

A cheque may be the student's only once the bank cleared it (the book's `cheques_count`); until then its money
stands on `liability:cheques`. Cash and cheques are on `external:cash` until they are deposited, then on
`external:bank`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Final, Literal
from uuid import UUID

from fleet.money import format_minor
from services.receivables.domain.charges import Posting, PostingEntry

CASH, BANK, CHEQUES = "external:cash", "external:bank", "liability:cheques"
OLDEST: Final = timedelta(days=366)
PAYMENTS_MOST: Final = 200  # in one deposit

Method = Literal["cash", "cheque", "bank_transfer"]
State = Literal["waits", "held", "received", "bounced", "reverted"]
What = Literal["recorded", "approved", "deposited", "taken_out", "cleared", "bounced", "reverted"]
METHODS: Final[Mapping[Method, str]] = {
    "cash": "cash",
    "cheque": "cheque",
    "bank_transfer": "bank transfer",
}

# What people may say of a payment, and the states it may be in then. waits: a second person has to agree.
# held: a cheque that is not cleared. received: it is the student's.
MOVES: Final[Mapping[What, frozenset[State]]] = {
    "approved": frozenset({"waits"}),
    "deposited": frozenset({"held", "received"}),
    "cleared": frozenset({"held"}),
    "bounced": frozenset({"held", "received"}),
    "reverted": frozenset({"waits", "held", "received"}),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingPolicy:
    """The book's card `credit`, as far as payments by hand go. by_one_up_to: None for any amount."""

    cheques_count: Literal["at_receipt", "when_cleared"] = "when_cleared"
    by_one_up_to: int | None = None
    given_by_one_up_to: int = 0
    bounced_cheque_fee: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedPayment:
    """One payment, as it was recorded, and where it stands."""

    id: UUID
    student: str
    method: Method
    number: str
    paid_on: date
    amount: int
    currency: str
    when_cleared: bool
    needs_second: bool
    state: State
    recorded_by: str
    recorded_at: datetime
    approved_by: str | None = None
    cleared: bool = False
    deposit_id: UUID | None = None

    def in_words(self) -> str:
        """Which payment it is."""
        amount = f"{format_minor(self.amount, self.currency)} {self.currency}"
        return f"{METHODS[self.method]} {self.number} of {self.student}, {amount}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Deposit:
    """Cash and cheques that were brought to the bank together."""

    id: UUID
    number: str
    deposited_on: date
    currency: str
    total: int
    made_by: str
    made_at: datetime
    reverted_by: str | None = None


def begun(payment: RecordedPayment) -> State:
    """The state of a payment once everybody whom it needs has agreed."""
    return "held" if payment.when_cleared else "received"


def moved(payment: RecordedPayment, what: What) -> RecordedPayment | str:
    """A payment after what a person says of it; or a sentence why that cannot be."""
    if payment.state not in MOVES[what]:
        return f"{payment.in_words()}, {_STANDS[payment.state]}"
    if what == "approved":
        return replace(payment, state=begun(payment))
    if what == "deposited":
        return _deposited(payment)
    if what == "reverted":
        if payment.deposit_id is not None:
            return f"{payment.in_words()}, is in a deposit: revert that first"
        return replace(payment, state="reverted")
    if payment.method != "cheque":
        return f"{payment.in_words()}, is no cheque"
    if payment.deposit_id is None:
        return f"{payment.in_words()}, is in no deposit; one that cannot be deposited is reverted"
    if what == "cleared":
        return replace(payment, state="received", cleared=True)
    return replace(payment, state="bounced")


def _deposited(payment: RecordedPayment) -> RecordedPayment | str:
    if payment.method == "bank_transfer":
        return f"{payment.in_words()}, is at the bank already"
    if payment.deposit_id is not None:
        return f"{payment.in_words()}, is in a deposit already"
    return payment


_STANDS: Final[Mapping[State, str]] = {
    "waits": "waits for a second person",
    "held": "waits for the bank",
    "received": "counts already",
    "bounced": "bounced",
    "reverted": "was reverted",
}


def posting(before: RecordedPayment, after: RecordedPayment, what: What, now: datetime) -> Posting | None:
    """The journal of what happened to a payment; None where no money moves. `before` as it stood."""
    student = f"student:{before.student}"
    if what in ("recorded", "approved") and after.state != "waits":
        to = CHEQUES if after.state == "held" else student
        return _posting(f"recorded:{after.id}", "payment_recorded", after, now, (to, _money_at(after)))
    if what == "cleared":
        return _posting(f"recorded-cleared:{after.id}", "cheque_cleared", after, now, (student, CHEQUES))
    if what in ("bounced", "reverted") and before.state != "waits":
        holds = CHEQUES if before.state == "held" else student
        legs = (_money_at(before), holds)
        if what == "bounced":
            return _posting(f"recorded-bounced:{after.id}", "cheque_bounced", after, now, legs)
        return _posting(f"recorded-reverted:{after.id}", "payment_reverted", after, now, legs)
    return None


def deposit_posting(deposit: Deposit, now: datetime) -> Posting:
    """The journal by which what a deposit holds goes to the bank, or comes back when it is reverted."""
    source, event_type, memo = f"bank-deposit:{deposit.id}", "bank_deposit", f"deposit {deposit.number}"
    to, of = CASH, BANK
    if deposit.reverted_by is not None:
        source, event_type = f"bank-deposit-reverted:{deposit.id}", "bank_deposit_reverted"
        memo, to, of = f"{memo} reverted", BANK, CASH
    return Posting(
        source=source,
        event_type=event_type,
        currency=deposit.currency,
        occurred_at=now,
        entries=(
            PostingEntry(wallet=to, amount=deposit.total),
            PostingEntry(wallet=of, amount=-deposit.total),
        ),
        memo=memo,
    )


def _money_at(payment: RecordedPayment) -> str:
    deposited = payment.method == "bank_transfer" or payment.deposit_id is not None
    return BANK if deposited else CASH


def _posting(
    source: str, event_type: str, payment: RecordedPayment, now: datetime, legs: tuple[str, str]
) -> Posting:
    """`legs`: the wallet that gets the amount, and the one that gives it."""
    to, of = legs
    words = event_type.replace("payment_", "").replace("cheque_", "")
    return Posting(
        source=source,
        event_type=event_type,
        currency=payment.currency,
        occurred_at=now,
        entries=(
            PostingEntry(wallet=to, amount=payment.amount),
            PostingEntry(wallet=of, amount=-payment.amount),
        ),
        memo=f"{METHODS[payment.method]} {payment.number} of {payment.paid_on}: {words}",
    )
