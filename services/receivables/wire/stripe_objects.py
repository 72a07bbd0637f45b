"""Reads Stripe's objects and `charge.settled` into facts about charges; Stripe's shapes are known here alone.

What an event says is read from the object it carries, not from its name: a `charge.refunded` that arrives
before `charge.succeeded` reports the payment as well.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final

import orjson
from pydantic import ValidationError

from fleet.envelope import Record
from fleet.inbox import Unreadable, describe, has_nul, read
from fleet.stripe_keys import mode
from schemas.attestation import NOT_ATTESTED, NOT_ATTESTED_SENTENCE, is_attested
from schemas.payments import ChargeSettled
from schemas.stripe_webhooks import StripeWebhook
from services.receivables.domain.charges import (
    Dispute,
    DisputeOutcome,
    DisputeReported,
    Fact,
    Failure,
    Fee,
    FeeSettled,
    Payment,
    PaymentSucceeded,
    PaymentTakenBack,
    Refund,
    RefundReported,
)
from services.receivables.domain.failures import PaymentFailed
from services.receivables.domain.saved_methods import MethodFact
from services.receivables.domain.webhooks import KeptWebhook
from services.receivables.wire import saved_methods
from services.receivables.wire.balance import BalanceTransaction, compare_dispute, compare_refund
from services.receivables.wire.event_types import ELSEWHERE, NOTHING_TO_DO
from services.receivables.wire.metadata import bill_of, student_of
from services.receivables.wire.shapes import (
    StripeCharge,
    StripeDispute,
    StripePaymentError,
    StripePaymentIntent,
    StripeRefund,
)

_CODE: Final = re.compile(r"[a-z0-9_]{1,100}")


class Kind(StrEnum):
    """What a webhook means to this service; the metric's label."""

    HANDLED = "handled"
    NOTHING_TO_DO = "nothing_to_do"
    ELSEWHERE = "elsewhere"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookRead:
    """A webhook as it was read: the facts it reports; `kind` says why when it reports none.

    `odd`: parts of it that cannot be read; the facts of the others stand, and the record is a dead letter.
    """

    webhook: StripeWebhook
    kind: Kind
    facts: tuple[Fact, ...] = ()
    failure: PaymentFailed | None = None
    method: MethodFact | None = None
    odd: tuple[Unreadable, ...] = ()

    def kept(self) -> KeptWebhook:
        """The webhook as it is kept when its type is unknown here."""
        return KeptWebhook(
            event_id=self.webhook.event_id,
            event_type=self.webhook.event_type,
            received_at=self.webhook.received_at,
            body=self.webhook.body,
        )


def stripe_event(record: Record, *, livemode: bool, keys: Sequence[str] = ()) -> WebhookRead:
    """Read `stripe.webhook`: payments, refunds and disputes on the school's own account.

    Raises Unreadable when the object lacks what money needs, or the event is not of this mode.
    """
    webhook = read(record, StripeWebhook)
    if not is_attested(webhook, keys):
        raise Unreadable(NOT_ATTESTED, NOT_ATTESTED_SENTENCE)
    if webhook.livemode is not livemode:
        theirs, ours = mode(webhook.livemode), mode(livemode)
        sentence = (
            f"the event is of {theirs} mode and this deployment of {ours} mode; see HOBBS_STRIPE_LIVEMODE"
        )
        raise Unreadable("wrong_mode", sentence)
    kind = kind_of(webhook)
    if kind is not Kind.HANDLED:
        return WebhookRead(webhook=webhook, kind=kind)
    subject = _subject(webhook)
    odd: list[Unreadable] = []
    try:
        if webhook.event_type in saved_methods.TYPES:
            method = saved_methods.method_fact(webhook.event_type, subject, webhook.created_at)
            return WebhookRead(webhook=webhook, kind=kind, method=method)
        facts = tuple(_FACTS[webhook.event_type](subject, webhook, odd))
        failure = payment_failure(subject, webhook) if webhook.event_type == _FAILED else None
    except ValidationError as error:
        raise Unreadable("stripe_object_unreadable", f"{webhook.event_type}: {describe(error)}") from None
    return WebhookRead(webhook=webhook, kind=kind, facts=facts, failure=failure, odd=tuple(odd))


def stripe_event_key(read: WebhookRead) -> str:
    """The event's natural key: Stripe's own id of it."""
    return read.webhook.event_id


def kind_of(webhook: StripeWebhook) -> Kind:
    """Say what a webhook means here. Connected accounts' events and money going out belong to payouts."""
    if webhook.endpoint == "connect" or webhook.event_type.startswith(ELSEWHERE):
        return Kind.ELSEWHERE
    if webhook.event_type in _FACTS or webhook.event_type in saved_methods.TYPES:
        return Kind.HANDLED
    return Kind.NOTHING_TO_DO if webhook.event_type in NOTHING_TO_DO else Kind.UNKNOWN


def charge_settled(record: Record) -> FeeSettled:
    """Read `charge.settled`: what Stripe kept, as payouts found it in the balance transaction.

    Raises Unreadable when gross less fee is not net.
    """
    event = read(record, ChargeSettled)
    if event.fee < 0 or event.gross - event.fee != event.net:
        raise Unreadable("fee_does_not_add_up", f"charge {event.charge_id}: gross less fee is not net")
    fee = Fee(
        transaction_id=event.balance_transaction_id,
        amount=event.fee,
        gross=event.gross,
        currency=event.currency,
        settled_at=event.available_at,
    )
    return FeeSettled(charge_id=event.charge_id, fee=fee)


def charge_facts(subject: Mapping[str, Any], webhook: StripeWebhook, odd: list[Unreadable]) -> Iterator[Fact]:
    """A charge reports its payment once it succeeded and was captured, and the refunds that it lists.

    Stripe counts what was authorized and not captured as refunded; none of that was our money.
    """
    charge = StripeCharge.model_validate(subject)
    amount = charge.amount if charge.amount_captured is None else charge.amount_captured
    if amount > charge.amount:
        raise Unreadable("amount_does_not_add_up", f"{charge.id}: captured {amount} of {charge.amount}")
    if _succeeded(charge) and charge.captured and amount > 0:
        payment = Payment(
            amount=charge.books(amount),
            currency=charge.currency.upper(),
            received_at=_instant(charge.created),
            payment_intent_id=charge.payment_intent,
        )
        yield PaymentSucceeded(
            charge_id=charge.id,
            payment=payment,
            student=student_of(charge),
            refunded=charge.books(max(0, charge.amount_refunded - (charge.amount - amount))),
            bill=bill_of(charge),
        )
    for listed in _refunds_of(subject):
        try:
            yield from _refund_facts(listed, charge.id)
        except (ValidationError, Unreadable) as error:
            odd.append(_odd_part(f"a refund of {charge.id}", error))


def failed_charge_facts(
    subject: Mapping[str, Any], webhook: StripeWebhook, odd: list[Unreadable]
) -> Iterator[Fact]:
    """A failed charge reports money that was taken back, where it had been on Stripe's balance.

    A bank debit is credited while the bank is asked, and may fail after it was called paid. A declined card
    never moved anything.
    """
    charge = StripeCharge.model_validate(subject)
    if charge.status != "failed" or charge.failure_balance_transaction is None or charge.amount == 0:
        return
    payment = Payment(
        amount=charge.books(charge.amount),
        currency=charge.currency.upper(),
        received_at=_instant(charge.created),
        payment_intent_id=charge.payment_intent,
    )
    yield PaymentTakenBack(
        charge_id=charge.id,
        payment=payment,
        failure=Failure(code=_code(charge.failure_code), at=webhook.created_at),
        student=student_of(charge),
    )


def _refunds_of(charge: Mapping[str, Any]) -> list[Any]:
    refunds = charge.get("refunds")
    listed = refunds.get("data") if isinstance(refunds, Mapping) else None
    return listed if isinstance(listed, list) else []


def _odd_part(what: str, error: ValidationError | Unreadable) -> Unreadable:
    said = describe(error) if isinstance(error, ValidationError) else error.sentence
    return Unreadable("stripe_object_unreadable", f"{what}: {said}")


def payment_intent_facts(
    subject: Mapping[str, Any], webhook: StripeWebhook, odd: list[Unreadable]
) -> Iterator[Fact]:
    """A payment intent that succeeded reports the payment of its last charge.

    By an old API version it carries its charges whole. One that received money by no charge is refused, so
    that a person sees it: nothing would be booked.
    """
    intent = StripePaymentIntent.model_validate(subject)
    amount = intent.amount if intent.amount_received is None else intent.amount_received
    if amount <= 0:
        return
    if intent.latest_charge is None:
        carried = [c for c in _carried_charges(intent, webhook, odd) if isinstance(c, PaymentSucceeded)]
        if not carried:
            raise Unreadable(
                "payment_without_charge", f"payment intent {intent.id} succeeded and names no charge"
            )
        yield from carried
        return
    payment = Payment(
        amount=intent.books(amount),
        currency=intent.currency.upper(),
        received_at=webhook.created_at,
        payment_intent_id=intent.id,
    )
    yield PaymentSucceeded(
        charge_id=intent.latest_charge, payment=payment, student=student_of(intent), bill=bill_of(intent)
    )


def _carried_charges(
    intent: StripePaymentIntent, webhook: StripeWebhook, odd: list[Unreadable]
) -> Iterator[Fact]:
    """What the charges inside an intent tell; without an intent's id or metadata they have this one's."""
    for written in intent.charges.data if intent.charges else ():
        inherited = {"payment_intent": intent.id, "metadata": intent.metadata}
        own = {name: value for name, value in written.items() if value or name not in inherited}
        yield from charge_facts({**inherited, **own}, webhook, odd)


def _succeeded(charge: StripeCharge) -> bool:
    """`paid` was the status before API version 2015-02-18, and `paid: true` stood alone before that."""
    return charge.status in ("succeeded", "paid") or (charge.status is None and charge.paid)


def refund_facts(subject: Mapping[str, Any], webhook: StripeWebhook, odd: list[Unreadable]) -> Iterator[Fact]:
    yield from _refund_facts(subject, None, webhook.created_at if _waited(webhook) else None)


def _waited(webhook: StripeWebhook) -> bool:
    """Whether the refund was pending until this event."""
    before = orjson.loads(webhook.body)["data"].get("previous_attributes")
    return isinstance(before, Mapping) and before.get("status") == "pending"


def dispute_facts(
    subject: Mapping[str, Any], webhook: StripeWebhook, odd: list[Unreadable]
) -> Iterator[Fact]:
    """A dispute withdraws money unless it is only an inquiry; it ends won or lost.

    Raises Unreadable when its balance transactions took or brought back something else than its amount.
    """
    dispute = StripeDispute.model_validate(subject)
    if dispute.charge is None:
        raise Unreadable("dispute_without_charge", f"dispute {dispute.id} names no charge")
    compare_dispute(
        dispute.id, dispute.amount, dispute.currency, dispute.status, dispute.balance_transactions
    )
    inquiry = dispute.status.startswith("warning_") or dispute.status == "prevented"
    outcome = DisputeOutcome(dispute.status) if dispute.status in tuple(DisputeOutcome) else None
    reported = Dispute(
        dispute_id=dispute.id,
        amount=dispute.books(dispute.amount),
        currency=dispute.currency.upper(),
        opened_at=_instant(dispute.created),
        withdrawn=not inquiry or bool(dispute.balance_transactions),
        outcome=outcome,
        closed_at=webhook.created_at if outcome else None,
        fees={moved.id: dispute.books(moved.fee) for moved in dispute.balance_transactions},
        reason=dispute.reason and _code(dispute.reason),
    )
    yield DisputeReported(charge_id=dispute.charge, dispute=reported)


def no_facts(subject: Mapping[str, Any], webhook: StripeWebhook, odd: list[Unreadable]) -> Iterator[Fact]:
    yield from ()


def payment_failure(subject: Mapping[str, Any], webhook: StripeWebhook) -> PaymentFailed:
    """Why a payment failed, by Stripe's code: Stripe's messages may name the card and are left out."""
    intent = StripePaymentIntent.model_validate(subject)
    error = intent.last_payment_error or StripePaymentError()
    return PaymentFailed(
        payment_intent_id=intent.id,
        attempt=error.charge or intent.latest_charge or webhook.event_id,
        student=student_of(intent),
        amount=intent.books(intent.amount),
        currency=intent.currency.upper(),
        code=_code(error.decline_code or error.code),
        failed_at=webhook.created_at,
    )


_FAILED: Final = "payment_intent.payment_failed"
_FACTS: Final = {
    "payment_intent.succeeded": payment_intent_facts,
    _FAILED: no_facts,
    "charge.succeeded": charge_facts,
    "charge.captured": charge_facts,
    "charge.failed": failed_charge_facts,
    "charge.updated": charge_facts,
    "charge.refunded": charge_facts,
    "refund.created": refund_facts,
    "refund.updated": refund_facts,
    "refund.failed": refund_facts,
    "charge.refund.updated": refund_facts,
    "charge.dispute.created": dispute_facts,
    "charge.dispute.updated": dispute_facts,
    "charge.dispute.funds_withdrawn": dispute_facts,
    "charge.dispute.funds_reinstated": dispute_facts,
    "charge.dispute.closed": dispute_facts,
}
_WAITING: Final = ("pending", "requires_action")


def _subject(webhook: StripeWebhook) -> Mapping[str, Any]:
    """`data.object` of the raw body, which the gateway has read as a Stripe event."""
    try:
        event = orjson.loads(webhook.body)
        subject = event["data"]["object"]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        raise Unreadable("stripe_object_missing", f"{webhook.event_id} carries no data.object") from None
    if not isinstance(subject, dict):
        raise Unreadable("stripe_object_missing", f"{webhook.event_id} carries no data.object")
    if has_nul(webhook.body.encode(), event):
        raise Unreadable("nul_character", f"{webhook.event_id} contains a NUL character")
    return subject


def _refund_facts(subject: Any, charge_id: str | None, moved_at: datetime | None = None) -> Iterator[Fact]:
    """A refund moved money when it has a balance transaction, whatever its status is.

    One without is pending until the school's balance covers it; it is known, and nothing is posted. Releasing
    an amount that was never captured is reported as a refund that succeeded, but moves nothing, ever.
    """
    refund = StripeRefund.model_validate(subject)
    if isinstance(transaction := subject.get("balance_transaction"), Mapping):
        compare_refund(
            refund.id, refund.amount, refund.currency, BalanceTransaction.model_validate(transaction)
        )
    about = refund.charge or charge_id
    if about is None:
        raise Unreadable("refund_without_charge", f"refund {refund.id} names no charge")
    failed = refund.status in ("failed", "canceled")
    moved = refund.balance_transaction is not None and not failed
    if moved or failed or refund.status in _WAITING:
        reported = Refund(
            refund_id=refund.id,
            amount=refund.books(refund.amount),
            currency=refund.currency.upper(),
            at=moved_at if moved and moved_at else _instant(refund.created),
            moved=moved,
            failed=failed,
        )
        yield RefundReported(charge_id=about, refund=reported)


def _code(told: str | None) -> str:
    """A code of Stripe's; what is none is not kept, as it may be a sentence about somebody."""
    return told if told and _CODE.fullmatch(told) else "unknown"


def _instant(unix: int) -> datetime:
    return datetime.fromtimestamp(unix, UTC)
