"""Charges of saved methods: what payouts is asked for, and what it answers."""

from datetime import datetime

from fleet.cause import Cause
from fleet.envelope import Message, Record
from fleet.inbox import Unreadable, read
from fleet.money import format_minor
from schemas.charges import ChargeAnswered, ChargeRequested
from schemas.notifications import NotificationRequested
from services.receivables.domain.auto_charges import ChargeAnswer, DeclineClass, NewCharge, what_next
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
    about = str(answer.request_id)
    facts = {"amount": str(answer.amount), "currency": answer.currency, "code": answer.code or "unknown"}
    told = NotificationRequested(
        recipient_kind="student",
        recipient=answer.student,
        kind="auto_charge_declined",
        about=about,
        sentence=f"Your saved payment method could not be charged {money}: {what_next(kind)}.",
        facts=facts,
    )
    messages = [Message(topic="notification.requested", key=answer.student, event=told, cause=cause)]
    if kind is DeclineClass.STOP:
        finance = NotificationRequested(
            recipient_kind="finance",
            recipient="finance",
            kind="saved_method_stopped",
            about=about,
            sentence=f"student {answer.student}: {money} was declined ({answer.code or 'unknown'}); the "
            "saved method is not charged again. Send a link: hobbs payments link",
            facts=facts,
        )
        messages.append(Message(topic="notification.requested", key="finance", event=finance, cause=cause))
    return messages
