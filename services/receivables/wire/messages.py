"""Writes what receivables publishes, a function for each message."""

from fleet.cause import Cause
from fleet.envelope import Message
from fleet.money import format_minor
from schemas.journals import EntryRequest, JournalRequested
from schemas.notifications import NotificationRequested
from schemas.payments import PaymentReceived
from services.receivables.domain.charges import Charge, Payment, Posting
from services.receivables.domain.failures import PaymentFailed
from services.receivables.domain.postings import payment_source
from services.receivables.domain.recorded_payments import RecordedPayment


def journal_message(posting: Posting, charge: Charge | None, cause: Cause) -> Message:
    """Ask the ledger to post a journal; it posts each source once. charge: None for what is no charge's.

    An allocation names the payment: a ledger that has it on its student already has nothing to allocate.
    """
    event = JournalRequested(
        source=posting.source,
        event_type=posting.event_type,
        currency=posting.currency,
        occurred_at=posting.occurred_at,
        entries=[EntryRequest(wallet=entry.wallet, amount=entry.amount) for entry in posting.entries],
        memo=posting.memo,
        moves=payment_source(charge) if charge and posting.event_type == "allocation" else None,
    )
    return Message(topic="journal.requested", key=posting.source, event=event, cause=cause)


def payment_message(charge: Charge, payment: Payment, cause: Cause) -> Message:
    """Announce a payment: without a student while it is unallocated, and again once it has one."""
    event = PaymentReceived(
        charge_id=charge.charge_id,
        student=charge.student,
        amount=payment.amount,
        currency=payment.currency,
        received_at=payment.received_at,
    )
    return Message(topic="payment.received", key=charge.charge_id, event=event, cause=cause)


def unallocated_message(charge: Charge, payment: Payment, closest: str | None, cause: Cause) -> Message:
    """Tell finance that a payment names no student, or one that nobody knows; `closest` may be meant."""
    money = f"{format_minor(payment.amount, payment.currency)} {payment.currency}"
    event = NotificationRequested(
        recipient_kind="finance",
        recipient="finance",
        kind="payment_unallocated",
        about=charge.charge_id,
        sentence=f"A card payment of {money} names {_whom(charge.named, closest)}: "
        f"hobbs payments allocate {charge.charge_id} {closest or 'STUDENT'}",
        facts={"amount": str(payment.amount), "currency": payment.currency}
        | ({"named": charge.named} if charge.named else {})
        | ({"closest": closest} if closest else {}),
    )
    return Message(topic="notification.requested", key="finance", event=event, cause=cause)


def _whom(named: str | None, closest: str | None) -> str:
    if named is None:
        return "no student"
    near = f"the closest is {closest!r}" if closest else "no name is close to it"
    return f"{named!r}, a student who is in no book and on no bill ({near})"


def failure_message(failure: PaymentFailed, cause: Cause) -> Message | None:
    """Tell the student that a payment did not go through; None when the payment names no student."""
    if failure.student is None:
        return None
    money = f"{format_minor(failure.amount, failure.currency)} {failure.currency}"
    event = NotificationRequested(
        recipient_kind="student",
        recipient=failure.student,
        kind="payment_failed",
        about=failure.payment_intent_id,
        sentence=f"Your card payment of {money} did not go through ({failure.code}); nothing was charged.",
        facts={"amount": str(failure.amount), "currency": failure.currency, "code": failure.code},
    )
    return Message(topic="notification.requested", key=failure.student, event=event, cause=cause)


def bounced_message(payment: RecordedPayment, cause: Cause) -> Message:
    """Tell the student that the bank returned a cheque."""
    money = f"{format_minor(payment.amount, payment.currency)} {payment.currency}"
    event = NotificationRequested(
        recipient_kind="student",
        recipient=payment.student,
        kind="cheque_bounced",
        about=str(payment.id),
        sentence=f"The bank returned your cheque {payment.number} of {money}: it does not count as paid.",
        facts={"amount": str(payment.amount), "currency": payment.currency, "number": payment.number},
    )
    return Message(topic="notification.requested", key=payment.student, event=event, cause=cause)
