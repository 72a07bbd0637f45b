"""Charges of saved methods: what payouts is asked for, and what it answers."""

from datetime import datetime

from fleet.cause import Cause
from fleet.envelope import Message, Record
from fleet.inbox import Unreadable, read
from fleet.money import format_minor
from schemas.charges import ChargeAnswered, ChargeRequested
from schemas.notifications import NotificationRequested
from services.receivables.domain.auto_charges import (
    ChargeAnswer,
    DeclineClass,
    KnownCharge,
    NewCharge,
    what_next,
)
from services.receivables.domain.charges import Payment, PaymentSucceeded

STUDENT = "student:"


def requested(charge: NewCharge, now: datetime, cause: Cause) -> Message:
    """Ask payouts for a charge as it was decided."""
    event = ChargeRequested(
        request_id=charge.request_id,
        wallet=STUDENT + charge.student,
        currency=charge.currency,
        amount=charge.amount,
        cause=charge.cause,
        customer=charge.method.customer,
        payment_method=charge.method.payment_method,
        method_type=charge.method.method_type,
        decided_at=now,
    )
    return Message(topic="charge.requested", key=event.wallet, event=event, cause=cause)


def answered(record: Record) -> ChargeAnswer:
    """Read `charge.answered`. Raises Unreadable, also when the wallet is no student's."""
    event = read(record, ChargeAnswered)
    if not event.wallet.startswith(STUDENT):
        raise Unreadable("not_a_student", f"wallet {event.wallet} is no student's")
    return ChargeAnswer(
        request_id=event.request_id,
        student=event.wallet.removeprefix(STUDENT),
        cause=event.cause,
        currency=event.currency,
        amount=event.amount,
        outcome=event.outcome,
        payment_intent=event.payment_intent,
        charge=event.charge,
        code=event.code,
        advice=event.advice,
        sentence=event.sentence,
        at=event.answered_at,
    )


def payment(answer: ChargeAnswer) -> PaymentSucceeded | None:
    """The card payment that an answer reports, as a webhook would; None: it reports none."""
    if answer.outcome != "succeeded" or answer.charge is None:
        return None
    paid = Payment(
        amount=answer.amount,
        currency=answer.currency,
        received_at=answer.at,
        payment_intent_id=answer.payment_intent,
    )
    return PaymentSucceeded(charge_id=answer.charge, payment=paid, student=answer.student)


def declined(answer: ChargeAnswer, kind: DeclineClass, cause: Cause) -> list[Message]:
    """Tell the student what a decline asks of them, and finance of a method that is not charged again."""
    money = f"{format_minor(answer.amount, answer.currency)} {answer.currency}"
    said = f"Your saved payment method could not be charged {money}: {what_next(kind)}."
    return _told(answer, kind, answer.code or "unknown", "auto_charge_declined", said, cause)


def taken_back(charge: KnownCharge, kind: DeclineClass, code: str, cause: Cause) -> list[Message]:
    """The same of a charge whose money was taken back later."""
    money = f"{format_minor(charge.amount, charge.currency)} {charge.currency}"
    said = f"Your bank took back {money} that you had paid, so they are owed again: {what_next(kind)}."
    return _told(charge, kind, code, "auto_charge_taken_back", said, cause)


def _told(
    of: ChargeAnswer | KnownCharge, kind: DeclineClass, code: str, named: str, said: str, cause: Cause
) -> list[Message]:
    money = f"{format_minor(of.amount, of.currency)} {of.currency}"
    about = str(of.request_id)
    facts = {"amount": str(of.amount), "currency": of.currency, "code": code}
    told = NotificationRequested(
        recipient_kind="student",
        recipient=of.student,
        kind=named,
        about=about,
        sentence=said,
        facts=facts,
    )
    messages = [Message(topic="notification.requested", key=of.student, event=told, cause=cause)]
    if kind is DeclineClass.STOP:
        finance = NotificationRequested(
            recipient_kind="finance",
            recipient="finance",
            kind="saved_method_stopped",
            about=about,
            sentence=f"student {of.student}: {money} was declined or taken back ({code}); the "
            "saved method is not charged again. Send a link: hobbs payments link",
            facts=facts,
        )
        messages.append(Message(topic="notification.requested", key="finance", event=finance, cause=cause))
    return messages
