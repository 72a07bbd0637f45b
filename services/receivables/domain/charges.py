"""What is known of a card charge, and what a new fact adds to it. Pure.

Facts about a charge arrive in any order, more than once, from several topics. Each is merged into the charge,
and `postings.py` says which journals are due then. Amounts are positive minor units of the charge's currency.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum


class DisputeOutcome(StrEnum):
    """How a dispute ended."""

    WON = "won"
    LOST = "lost"


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """The money arrived. `amount` is gross: Stripe's fee is not taken off."""

    amount: int
    currency: str
    received_at: datetime
    payment_intent_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fee:
    """What Stripe kept of a charge. `gross` is the charge's amount by the balance transaction, to compare."""

    transaction_id: str
    amount: int
    gross: int
    currency: str
    settled_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Refund:
    """Money that goes back to the student. `moved`: it left Stripe's balance; `failed`: it came back.

    Neither: it waits until the school's balance at Stripe covers it. `at`: when it was made, or when it moved
    if it waited.
    """

    refund_id: str
    amount: int
    currency: str
    at: datetime
    moved: bool = False
    failed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispute:
    """The student's bank claims the payment back.

    `withdrawn`: the amount left Stripe's balance (an inquiry withdraws nothing). `fees`: by balance
    transaction, negative when Stripe gave one back. `reason`: Stripe's word, None where it was not told.
    """

    dispute_id: str
    amount: int
    currency: str
    opened_at: datetime
    withdrawn: bool = False
    outcome: DisputeOutcome | None = None
    closed_at: datetime | None = None
    fees: Mapping[str, int] = field(default_factory=dict)
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A bank debit failed after Stripe had credited it, and the money was taken back. `code`: Stripe's."""

    code: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PostingEntry:
    """One signed amount on one wallet, credit positive."""

    wallet: str
    amount: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Posting:
    """A journal that the ledger is asked to post, once for each source."""

    source: str
    event_type: str
    currency: str
    occurred_at: datetime
    entries: tuple[PostingEntry, ...]
    memo: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """Everything known of one charge, and every posting made for it.

    `told_refunded`: the largest refunded total that Stripe reported on the charge itself. It names no refund,
    so nothing is posted by it; when it exceeds the known refunds, the event of a refund was lost.
    `named`: what the metadata calls the student, while no student of that name is known.
    """

    charge_id: str
    student: str | None = None
    named: str | None = None
    payment: Payment | None = None
    failure: Failure | None = None
    told_refunded: int = 0
    fee: Fee | None = None
    refunds: Mapping[str, Refund] = field(default_factory=dict)
    disputes: Mapping[str, Dispute] = field(default_factory=dict)
    postings: tuple[Posting, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentSucceeded:
    """A charge was captured, for the student named in its metadata or for nobody.

    `named`: the metadata's name when no student has it; `student` is None then. `bill`: the flight whose bill
    the metadata say that it pays first.
    """

    charge_id: str
    payment: Payment
    student: str | None
    named: str | None = None
    refunded: int = 0
    bill: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentTakenBack:
    """A bank debit failed after its money was on Stripe's balance, whether it had been called paid or not.

    `payment` is what had been credited: the books show both, as Stripe's balance does.
    """

    charge_id: str
    payment: Payment
    failure: Failure
    student: str | None
    named: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FeeSettled:
    """Stripe's fee of a charge is final."""

    charge_id: str
    fee: Fee


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundReported:
    """A refund of a charge, as it stands at Stripe."""

    charge_id: str
    refund: Refund


@dataclass(frozen=True, slots=True, kw_only=True)
class DisputeReported:
    """A dispute of a charge, as it stands at Stripe."""

    charge_id: str
    dispute: Dispute


@dataclass(frozen=True, slots=True, kw_only=True)
class StudentNamed:
    """A person says whose unallocated payment it is."""

    charge_id: str
    student: str
    at: datetime


Fact = PaymentSucceeded | PaymentTakenBack | FeeSettled | RefundReported | DisputeReported | StudentNamed


@dataclass(frozen=True, slots=True, kw_only=True)
class Contradiction:
    """A fact that contradicts what is known; its record becomes a dead letter."""

    reason: str
    sentence: str


def learn(charge: Charge, fact: Fact) -> Charge | Contradiction:
    """Merge a fact into what is known. A repeat changes nothing; the order of facts does not matter."""
    match fact:
        case PaymentSucceeded():
            return _learn_payment(charge, fact)
        case PaymentTakenBack():
            return _learn_failure(charge, fact)
        case FeeSettled():
            return _learn_fee(charge, fact.fee)
        case RefundReported():
            return _learn_refund(charge, fact.refund)
        case DisputeReported():
            return _learn_dispute(charge, fact.dispute)
        case StudentNamed():
            return _learn_student(charge, fact)


def _learn_payment(charge: Charge, fact: PaymentSucceeded) -> Charge | Contradiction:
    known, told = charge.payment, fact.payment
    if known and (known.amount, known.currency) != (told.amount, told.currency):
        return Contradiction(
            reason="payment_amount_changed",
            sentence=f"charge {charge.charge_id} was {known.amount} {known.currency} (minor units) "
            f"and is now reported as {told.amount} {told.currency}; look it up at Stripe",
        )
    if clash := _other_currency(charge, told.currency, "payment"):
        return clash
    intent = (known and known.payment_intent_id) or told.payment_intent_id
    payment = replace(known or told, payment_intent_id=intent)
    # The first student stays: only a person may move a payment from one student to another.
    student = charge.student or fact.student
    refunded = max(charge.told_refunded, fact.refunded)
    named = fact.named or charge.named
    return replace(charge, payment=payment, student=student, named=named, told_refunded=refunded)


def _learn_failure(charge: Charge, fact: PaymentTakenBack) -> Charge | Contradiction:
    credited = PaymentSucceeded(
        charge_id=fact.charge_id, payment=fact.payment, student=fact.student, named=fact.named
    )
    after = _learn_payment(charge, credited)
    if isinstance(after, Contradiction):
        return after
    return replace(after, failure=charge.failure or fact.failure)


def _learn_fee(charge: Charge, fee: Fee) -> Charge | Contradiction:
    if clash := _other_currency(charge, fee.currency, "fee"):
        return clash
    known = charge.fee or fee
    if (known.transaction_id, known.amount) != (fee.transaction_id, fee.amount):
        return Contradiction(
            reason="fee_changed",
            sentence=f"charge {charge.charge_id} settled as {known.transaction_id} with fee {known.amount} "
            f"(minor units) and is now reported as {fee.transaction_id} with fee {fee.amount}",
        )
    return replace(charge, fee=known)


def _learn_refund(charge: Charge, told: Refund) -> Charge | Contradiction:
    """A refund that moved stays moved, and one that failed stays failed, in whatever order this is learnt.

    It is dated by the fact that says so: one that waited moved later than it was made.
    """
    if clash := _other_currency(charge, told.currency, f"refund {told.refund_id}"):
        return clash
    known = charge.refunds.get(told.refund_id, told)
    if known.amount != told.amount:
        return _changed(charge, f"refund {told.refund_id}", known.amount, told.amount)
    at = told.at if told.moved and not known.moved else known.at
    refund = replace(known, at=at, moved=known.moved or told.moved, failed=known.failed or told.failed)
    return replace(charge, refunds={**charge.refunds, told.refund_id: refund})


def _learn_dispute(charge: Charge, told: Dispute) -> Charge | Contradiction:
    if clash := _other_currency(charge, told.currency, f"dispute {told.dispute_id}"):
        return clash
    known = charge.disputes.get(told.dispute_id, told)
    if known.amount != told.amount:
        return _changed(charge, f"dispute {told.dispute_id}", known.amount, told.amount)
    won_after_all = known.outcome is DisputeOutcome.LOST and told.outcome is DisputeOutcome.WON
    if known.outcome and told.outcome and known.outcome is not told.outcome and not won_after_all:
        return Contradiction(
            reason="dispute_outcome_changed",
            sentence=f"dispute {told.dispute_id} was {known.outcome} and is now {told.outcome}",
        )
    changed = {name for name in known.fees.keys() & told.fees.keys() if known.fees[name] != told.fees[name]}
    for name in sorted(changed):
        return _changed(charge, f"fee {name}", known.fees[name], told.fees[name])
    dispute = replace(
        known,
        withdrawn=known.withdrawn or told.withdrawn,
        outcome=told.outcome if won_after_all else known.outcome or told.outcome,
        closed_at=told.closed_at if won_after_all else known.closed_at or told.closed_at,
        fees={**told.fees, **known.fees},
        reason=known.reason or told.reason,
    )
    return replace(charge, disputes={**charge.disputes, told.dispute_id: dispute})


def _learn_student(charge: Charge, fact: StudentNamed) -> Charge | Contradiction:
    if charge.payment is None:
        return Contradiction(reason="not_received", sentence=f"charge {charge.charge_id} has not been paid")
    if charge.student is not None:
        return Contradiction(
            reason="already_allocated",
            sentence=f"charge {charge.charge_id} already belongs to student {charge.student}",
        )
    return replace(charge, student=fact.student)


def _other_currency(charge: Charge, currency: str, what: str) -> Contradiction | None:
    """A charge has one currency: no exchange rate is known here."""
    known = _currency_of(charge)
    if known is None or known == currency:
        return None
    return Contradiction(
        reason="other_currency",
        sentence=f"charge {charge.charge_id} is in {known}, its {what} in {currency}; post it by hand",
    )


def _currency_of(charge: Charge) -> str | None:
    if known := charge.payment or charge.fee:
        return known.currency
    refunds = (refund.currency for refund in charge.refunds.values())
    return next(refunds, next((dispute.currency for dispute in charge.disputes.values()), None))


def _changed(charge: Charge, what: str, known: int, told: int) -> Contradiction:
    return Contradiction(
        reason="amount_changed",
        sentence=f"{what} of charge {charge.charge_id} was {known} minor units and is now reported as {told}",
    )
