"""Refunds to students' cards: how much, of which payments, what is answered. Pure (decision 0215).

Amounts are minor units of one currency, all positive. What Stripe shows decides, not what is remembered: so
refunds by hand count, and a restored database refunds nothing twice.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from fleet.cause import Cause
from fleet.money import format_minor
from fleet.stripe_amounts import sendable
from services.payouts.domain.orders import NewOperation, order_refund

CAUSE: Final = "refund"
PENDING_FIRST: Final = timedelta(seconds=5)  # until a pending refund is looked at again; then ever longer
PENDING_MOST: Final = timedelta(hours=1)


class Reason(StrEnum):
    """Why not all was refunded that was asked for; `done` when it was. As schemas/refunds.py has them."""

    DONE = "done"
    NOTHING_PAID = "nothing_paid"
    SHORT = "short"
    REFUSED = "refused"


class Standing(StrEnum):
    """Where a refund stands at Stripe."""

    SUCCEEDED = "succeeded"
    PENDING = "pending"  # Stripe waits for the school's balance, or for a bank
    FAILED = "failed"  # the money never left, or a bank sent it back


@dataclass(frozen=True, slots=True, kw_only=True)
class CardPayment:
    """A student's card payment. wallet: None while it is nobody's."""

    charge_id: str
    wallet: str | None
    currency: str
    amount: int
    received_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Requested:
    """A request as it came. `source`: the journal because of which the student is owed."""

    settlement_id: UUID
    wallet: str
    currency: str
    source: str
    asked: int
    trace: Cause


@dataclass(frozen=True, slots=True, kw_only=True)
class Refunding(Requested):
    """A request under way."""

    state: str
    requested_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenRefund:
    """A refund as Stripe shows it. cause: of the operation of ours that it names, None: it is by hand."""

    stripe_refund_id: str
    charge_id: str
    amount: int
    standing: Standing
    cause: str | None = None

    def is_for(self, settlement_id: UUID) -> bool:
        return self.cause is not None and self.cause.startswith(f"{CAUSE}:{settlement_id}:")

    @property
    def number(self) -> int:
        """Which refund of its request it is, from 1; 0 when its cause does not say."""
        parts = (self.cause or "").split(":")
        return int(parts[2]) if len(parts) > 2 and parts[2].isdecimal() else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Take:
    """An amount to refund of a payment."""

    charge_id: str
    amount: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """Nothing can be decided before then, and why."""

    sentence: str
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a request is answered. refunds: Stripe's ids of what went back."""

    refunded: int
    refunds: tuple[str, ...]
    reason: Reason
    sentence: str


def decide_refunds(
    one: Refunding,
    payments: Sequence[CardPayment],
    seen: Sequence[SeenRefund],
    made: Sequence[SeenRefund],
    refused: Mapping[str, str],
    now: datetime,
) -> tuple[Take, ...] | Wait | Answer:
    """Choose what is refunded of which payments, the newest first; or wait, or say what became of it.

    seen: every refund of these payments at Stripe. made: those of this request, as seen last. refused:
    payments of which Stripe refused a refund for this request, with its sentence: they are left alone.
    """
    back = sum(r.amount for r in made if r.standing is Standing.SUCCEEDED)
    pending = sum(r.amount for r in made if r.standing is Standing.PENDING)
    failed = {r.charge_id for r in made if r.standing is Standing.FAILED}
    usable = [p for p in payments if p.charge_id not in failed and p.charge_id not in refused]
    if takes := _takes(one, one.asked - back - pending, usable, [*seen, *made]):
        return takes
    if pending:
        what = f"{format_minor(pending, one.currency)} {one.currency}"
        waited = (now - one.requested_at) // 10
        return Wait(
            sentence=f"Stripe has not sent {what} of refunds yet: the school's balance, or a bank",
            until=now + min(max(waited, PENDING_FIRST), PENDING_MOST),
        )
    return _answer(one, back, made, refused, failed, bool(payments))


def _takes(
    one: Refunding, needs: int, payments: Sequence[CardPayment], refunds: Sequence[SeenRefund]
) -> tuple[Take, ...]:
    given = {r.stripe_refund_id: r for r in refunds if r.standing is not Standing.FAILED}.values()
    takes: list[Take] = []
    for payment in sorted(payments, key=lambda p: p.received_at, reverse=True):
        left = payment.amount - sum(r.amount for r in given if r.charge_id == payment.charge_id)
        if (amount := sendable(max(min(needs, left), 0), one.currency)) > 0:
            takes.append(Take(charge_id=payment.charge_id, amount=amount))
            needs -= amount
    return tuple(takes)


def _answer(
    one: Refunding,
    back: int,
    made: Sequence[SeenRefund],
    refused: Mapping[str, str],
    failed: Collection[str],
    paid: bool,
) -> Answer:
    done = [r for r in made if r.standing is Standing.SUCCEEDED]
    of = f" to the card of payment {', '.join(r.charge_id for r in done[:5])}" if done else ""
    refunded, asked = (format_minor(n, one.currency) for n in (back, one.asked))
    ids = tuple(r.stripe_refund_id for r in done)
    if back == one.asked:
        said = f"{refunded} {one.currency} went back{of}"
        return Answer(refunded=back, refunds=ids, reason=Reason.DONE, sentence=said)
    if refused or failed:
        reason = Reason.REFUSED
        why = next((f"{charge}: {said}" for charge, said in refused.items()), "")
        why = why or f"the bank sent the refund of {', '.join(sorted(failed))} back"
    elif back or paid:
        reason, why = Reason.SHORT, "the student's card payments have no more left"
    else:
        reason, why = Reason.NOTHING_PAID, "the student paid nothing by card"
    sentence = f"{refunded} of {asked} {one.currency} went back{of}: {why}"
    return Answer(refunded=back, refunds=ids, reason=reason, sentence=sentence)


def order_takes(one: Refunding, takes: Sequence[Take], ordered: int) -> list[NewOperation]:
    """The refunds of a request. ordered: how many it had before, since each has a cause of its own.

    The cause names payment and amount too: decided otherwise after a restore it is another operation, and
    another key.
    """
    return [
        order_refund(
            wallet=one.wallet,
            charge_id=take.charge_id,
            amount=take.amount,
            currency=one.currency,
            cause=f"{CAUSE}:{one.settlement_id}:{n}:{take.charge_id}:{take.amount}",
            trace=one.trace,
        )
        for n, take in enumerate(takes, ordered + 1)
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """An answered request."""

    asked: Requested
    answer: Answer
    settled_at: datetime
