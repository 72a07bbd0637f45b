"""Which journals are due for a charge. Pure.

The postings due are computed from all that is known of the charge, less what was posted before: so the order
in which facts arrive does not matter. Nothing is posted before the payment itself (gross); facts that arrive
earlier wait in the charge. Everything about the student's money goes to the charge's holder: the student, or
`liability:unallocated` while no student is named. Allocation moves what the unallocated wallet holds for the
charge, once; from then on the student is the holder, and the unallocated wallet stays at zero for the charge.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from services.receivables.domain.charges import (
    Charge,
    Contradiction,
    Dispute,
    DisputeOutcome,
    Fact,
    Payment,
    Posting,
    PostingEntry,
    Refund,
    learn,
)

UNALLOCATED = "liability:unallocated"
DISPUTES = "liability:disputes"
STRIPE = "external:stripe"
SCHOOL = "platform:school"

EventType = Literal[
    "payment",
    "payment_failed",
    "stripe_fee",
    "allocation",
    "payment_moved",
    "refund",
    "refund_failed",
    "dispute",
    "dispute_fee",
    "dispute_won",
    "dispute_lost",
    "payment_recorded",
    "payment_reverted",
    "cheque_cleared",
    "cheque_bounced",
    "bank_deposit",
    "bank_deposit_reverted",
    "refund_paid_out",
    "credit_note",
    "write_off",
    "cheque_fee",
    "note_reverted",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What one fact changed: the charge before and after it, and the postings that it made due."""

    before: Charge
    charge: Charge
    postings: tuple[Posting, ...]

    @property
    def received(self) -> Payment | None:
        """The payment, when this fact was the first to report it; None for one that came and went at once."""
        if self.charge.failure is not None:
            return None
        return self.charge.payment if self.before.payment is None else None

    @property
    def allocated(self) -> bool:
        """Whether a payment that named no student got its student by this fact."""
        waited = self.before.payment is not None and self.before.student is None
        return waited and self.charge.student is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """A payment goes from one student to another. `number`: 1 for a charge's first move."""

    step: Step
    number: int
    amount: int
    currency: str


def decide(charge: Charge, fact: Fact, *, now: datetime) -> Step | Contradiction:
    """Merge a fact into the charge and compute what is due because of it. `now` dates an allocation."""
    after = learn(charge, fact)
    if isinstance(after, Contradiction):
        return after
    due = tuple(due_postings(after, now=now))
    return Step(before=charge, charge=replace(after, postings=(*after.postings, *due)), postings=due)


def move(charge: Charge, student: str, *, now: datetime) -> Move | Contradiction:
    """Give a payment that has a student to another: what the first one's wallet holds of it moves.

    That is the payment less its refunds and lost disputes. What becomes known later (a refund, one that
    failed, the end of a dispute) is posted to the new student.
    """
    if charge.payment is None or charge.student is None:
        return Contradiction(
            reason="not_allocated",
            sentence=f"charge {charge.charge_id} has no student yet: hobbs payments allocate "
            f"{charge.charge_id} {student}",
        )
    if charge.student == student:
        return Contradiction(
            reason="same_student", sentence=f"charge {charge.charge_id} already belongs to student {student}"
        )
    amount = balance_of(charge, holder_of(charge))
    if amount <= 0:
        return Contradiction(
            reason="nothing_left",
            sentence=f"nothing of charge {charge.charge_id} is left at student {charge.student}: "
            "it was refunded, or lost in a dispute",
        )
    after = replace(charge, student=student)
    number = 1 + sum(posting.event_type == "payment_moved" for posting in charge.postings)
    moved = _posting(
        f"payment-moved:{charge.charge_id}:{number}",
        "payment_moved",
        charge.payment.currency,
        now,
        {holder_of(charge): -amount, holder_of(after): amount},
        f"card payment {charge.charge_id} moved to its student",
    )
    step = Step(before=charge, charge=replace(after, postings=(*charge.postings, moved)), postings=(moved,))
    return Move(step=step, number=number, amount=amount, currency=charge.payment.currency)


def due_postings(charge: Charge, *, now: datetime) -> Iterator[Posting]:
    """Postings that follow from what is known and were not made yet, in the order to post them."""
    if charge.payment is None:
        return
    posted = {posting.source for posting in charge.postings}
    for posting in (*_payment(charge, charge.payment), *_allocation(charge, charge.payment, now)):
        if posting.source not in posted:
            yield posting
    for posting in _failure(charge, charge.payment):
        if posting.source not in posted:
            yield posting
    for refund in charge.refunds.values():
        yield from (p for p in _refund(charge, refund, posted) if p.source not in posted)
    for dispute in charge.disputes.values():
        yield from (p for p in _dispute(charge, dispute, posted) if p.source not in posted)


def unallocated_balance(charge: Charge) -> int:
    """What `liability:unallocated` holds for this charge, in minor units."""
    return balance_of(charge, UNALLOCATED)


def balance_of(charge: Charge, wallet: str) -> int:
    """What a wallet holds for this charge, in minor units."""
    entries = (entry for posting in charge.postings for entry in posting.entries)
    return sum(entry.amount for entry in entries if entry.wallet == wallet)


def holder_of(charge: Charge) -> str:
    """The wallet whose money the charge is: the student's, or the unallocated one."""
    return f"student:{charge.student}" if charge.student else UNALLOCATED


def payment_source(charge: Charge) -> str:
    """The source of the journal by which the charge's money came."""
    return f"charge:{charge.charge_id}"


def _payment(charge: Charge, payment: Payment) -> Iterator[Posting]:
    yield _posting(
        payment_source(charge),
        "payment",
        payment.currency,
        payment.received_at,
        {holder_of(charge): payment.amount, STRIPE: -payment.amount},
        f"card payment {charge.charge_id}",
    )
    if charge.fee and charge.fee.amount:
        fee = charge.fee
        yield _posting(
            f"charge-fee:{fee.transaction_id}",
            "stripe_fee",
            fee.currency,
            payment.received_at,
            {SCHOOL: -fee.amount, STRIPE: fee.amount},
            f"Stripe's fee for {charge.charge_id}",
        )


def _failure(charge: Charge, payment: Payment) -> Iterator[Posting]:
    if charge.failure:
        yield _posting(
            f"payment-failed:{charge.charge_id}",
            "payment_failed",
            payment.currency,
            charge.failure.at,
            {holder_of(charge): -payment.amount, STRIPE: payment.amount},
            f"bank debit {charge.charge_id} failed: {charge.failure.code}",
        )


def _allocation(charge: Charge, payment: Payment, now: datetime) -> Iterator[Posting]:
    amount = unallocated_balance(charge)
    if charge.student and amount:
        yield _posting(
            f"allocation:{charge.charge_id}",
            "allocation",
            payment.currency,
            now,
            {UNALLOCATED: -amount, holder_of(charge): amount},
            f"card payment {charge.charge_id} allocated to its student",
        )


def _refund(charge: Charge, refund: Refund, posted: set[str]) -> Iterator[Posting]:
    """A refund that failed after it was posted is posted back; one that failed before is not posted."""
    name, holder, about = refund.refund_id, holder_of(charge), f"refund of {charge.charge_id}"
    source, currency = f"refund:{name}", refund.currency
    if refund.moved and not refund.failed:
        back = {holder: -refund.amount, STRIPE: refund.amount}
        yield _posting(source, "refund", currency, refund.at, back, about)
    if refund.failed and source in posted:
        again, failed = {holder: refund.amount, STRIPE: -refund.amount}, f"{about} failed"
        yield _posting(f"refund-failed:{name}", "refund_failed", currency, refund.at, again, failed)


def _dispute(charge: Charge, dispute: Dispute, posted: Collection[str]) -> Iterator[Posting]:
    """The amount of an open dispute is a claim of the school; of a lost one it is the student's debt.

    One that is won after it was lost ends that debt.
    """
    if not dispute.withdrawn:
        return
    opened, closed = dispute.opened_at, dispute.closed_at or dispute.opened_at
    name, amount, currency = dispute.dispute_id, dispute.amount, dispute.currency
    about = f"dispute of {charge.charge_id}"
    claim = {DISPUTES: -amount, STRIPE: amount}
    yield _posting(f"dispute:{name}", "dispute", currency, opened, claim, about)
    for transaction, fee in sorted(dispute.fees.items()):
        if fee:
            source, kept = f"dispute-fee:{transaction}", {SCHOOL: -fee, STRIPE: fee}
            yield _posting(source, "dispute_fee", currency, opened, kept, f"fee of a {about}")
    if dispute.outcome is DisputeOutcome.WON:
        owing = holder_of(charge) if f"dispute-lost:{name}" in posted else DISPUTES
        regained = {owing: amount, STRIPE: -amount}
        yield _posting(f"dispute-won:{name}", "dispute_won", currency, closed, regained, f"{about} won")
    if dispute.outcome is DisputeOutcome.LOST:
        owed = {DISPUTES: amount, holder_of(charge): -amount}
        yield _posting(f"dispute-lost:{name}", "dispute_lost", currency, closed, owed, f"{about} lost")


def _posting(
    source: str, event_type: EventType, currency: str, at: datetime, entries: dict[str, int], memo: str
) -> Posting:
    return Posting(
        source=source,
        event_type=event_type,
        currency=currency,
        occurred_at=at,
        entries=tuple(PostingEntry(wallet=wallet, amount=amount) for wallet, amount in entries.items()),
        memo=memo,
    )
