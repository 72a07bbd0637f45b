"""The sentences that payees, finance and operators are told, as `notification.requested`."""

from typing import Any

from fleet.cause import Cause
from fleet.envelope import Message
from fleet.money import format_minor
from schemas.notifications import NotificationRequested
from services.payouts.domain.operations import Kind, Operation, State
from services.payouts.domain.payees import Payee, hold_sentence
from services.payouts.domain.payouts import SeenPayout
from services.payouts.domain.refusals import Whose, advice, todo
from services.payouts.domain.transfers import (
    ACCOUNT_HOLDS,
    HoldReason,
    ReversedTransfer,
    SentTransfer,
    StoppedTransfer,
)


def sent_notification(transfer: SentTransfer) -> Message:
    sentence = f"{_money_of(transfer)} is on its way to your Stripe account."
    return _to_payee(transfer, "transfer_sent", sentence)


def refused_notifications(transfer: StoppedTransfer) -> list[Message]:
    """Tell the payee and finance that a transfer could not be sent; finance also what to do."""
    sentence = f"{_money_of(transfer)} could not be sent: {transfer.sentence}"
    what_to_do = todo(Kind.TRANSFER, State.REFUSED, transfer.reason, transfer.sentence)
    said = f"{transfer.wallet}: {sentence} ({transfer.reason}) -- {what_to_do}"
    return [
        _to_payee(transfer, "transfer_failed", sentence),
        finance_notification("transfer_failed", str(transfer.id), said, transfer.trace),
    ]


def parked_notification(transfer: StoppedTransfer) -> Message:
    sentence = (
        f"transfer {transfer.id} of {_money_of(transfer)} to {transfer.wallet} is parked: {transfer.sentence}"
    )
    return operator_notification("transfer_parked", str(transfer.id), sentence, transfer.trace)


def stopped_notification(operation: Operation, state: State, reason: str, sentence: str) -> Message:
    """Tell who can do something about it that Stripe refused an operation, or that it is parked, and what.

    What lies with the school's platform, and what is parked, is the operator's; the rest is finance's.
    """
    kind, wallet = operation.kind, operation.wallet
    what_to_do = todo(kind, state, reason, sentence)
    said = f"{kind} for {wallet} is {state}: {sentence} ({reason}) -- {what_to_do}"
    platform = advice(kind, reason, sentence).whose is Whose.PLATFORM
    notify = operator_notification if platform or state is State.PARKED else finance_notification
    return notify(f"{kind}_{state}", str(operation.id), said, operation.trace)


def reversed_notification(transfer: ReversedTransfer) -> Message:
    back = format_minor(transfer.amount_reversed, transfer.currency)
    sentence = f"{back} of {_money_of(transfer)} was taken back from your Stripe account."
    return _to_payee(transfer, "transfer_reversed", sentence)


def payout_notification(payout: SeenPayout, wallet: str, failure: str | None, trace: Cause) -> Message:
    """Tell a payee that a payout is in the bank, or why it is not."""
    kind, _, payee = wallet.partition(":")
    money = _money(payout.amount, payout.currency)
    if failure is None:
        sentence = f"{money} is in your bank."
        return _notification(kind, payee, "payout_in_bank", payout.stripe_payout_id, sentence, trace)
    sentence = f"{money} did not reach your bank: {failure}. Check your bank details at Stripe."
    return _notification(kind, payee, "payout_failed", payout.stripe_payout_id, sentence, trace)


def debit_notifications(payout: SeenPayout, wallet: str, trace: Cause) -> list[Message]:
    """Tell a payee and finance that Stripe took a negative balance from the payee's bank, or could not."""
    kind, _, payee = wallet.partition(":")
    money, about = _money(-payout.amount, payout.currency), payout.stripe_payout_id
    if payout.status == "paid":
        told, text = "bank_debited", f"Stripe took {money} from your bank: your Stripe balance was negative."
    else:
        why = payout.failure or payout.status
        told, text = "bank_debit_failed", f"Stripe could not take {money} from your bank ({why})."
    return [
        _notification(kind, payee, told, about, text, trace),
        finance_notification(told, about, f"{wallet}: {text}", trace),
    ]


# What the payee is told of its account; finance hears of each, the operator of what only it can do.
_TOLD_TO_PAYEE = {
    HoldReason.ACCOUNT_UNDER_REVIEW: "Stripe is checking your account. There is nothing to do: money that "
    "waits for you is sent by itself afterwards.",
    HoldReason.ACCOUNT_REJECTED: "Stripe does not allow payments to your account. The school was told; "
    "ask it how you will be paid.",
    HoldReason.ACCOUNT_DISCONNECTED: "Your Stripe account is closed or no longer connected to the school. "
    "The school was told; ask it how to connect it again.",
}
_TOLD_TO_OPERATOR = frozenset({HoldReason.ACCOUNT_PAUSED, HoldReason.CAPABILITY_MISSING})


def held_notifications(payee: Payee, hold: HoldReason, trace: Cause) -> list[Message]:
    """Tell why a payee's money is held: whoever can end it, and finance unless it is a first onboarding."""
    wallet, facts = payee.wallet, {"reason": str(hold)}
    kind, _, key = wallet.partition(":")
    messages = []
    if hold is HoldReason.PAYEE_NOT_READY:
        sentence = "Money is waiting for you: finish Stripe's onboarding, and it is sent by itself."
        if payee.details_submitted:
            sentence = "Stripe needs more from you before you can be paid; then money is sent by itself."
        messages.append(_notification(kind, key, "onboarding_needed", wallet, sentence, trace, facts))
        if not payee.details_submitted:
            return messages
    if hold in ACCOUNT_HOLDS:
        facts |= {"disabled_reason": payee.disabled_reason} if payee.disabled_reason else {}
        if told := _TOLD_TO_PAYEE.get(hold):
            messages.append(_notification(kind, key, "account_disabled", wallet, told, trace, facts))
        if hold in _TOLD_TO_OPERATOR:
            sentence = f"{wallet} cannot be paid: {hold_sentence(payee, hold)}"
            messages.append(operator_notification("account_disabled", wallet, sentence, trace))
    sentence = f"Money for {wallet} is held: {hold_sentence(payee, hold)}"
    if hold in ACCOUNT_HOLDS:
        sentence = (
            f"{wallet} cannot be paid: {hold_sentence(payee, hold)} (Stripe says: {payee.disabled_reason})"
        )
    messages.append(_notification("finance", "finance", "transfer_held", wallet, sentence, trace, facts))
    return messages


def balance_notification(missing: int, currency: str, trace: Cause) -> Message:
    """Tell finance that the school's Stripe balance does not cover the transfers that are due."""
    sentence = f"The school's Stripe balance does not cover {_money(missing, currency)} of transfers."
    facts = {"amount": str(missing), "currency": currency}
    about = f"balance:{currency}"
    return _notification("finance", "finance", "transfer_held", about, sentence, trace, facts)


def onboarding_notification(wallet: str, trace: Cause) -> Message:
    """Tell a payee whose account was just made that it has to finish Stripe's onboarding."""
    kind, _, payee = wallet.partition(":")
    sentence = "Your Stripe account is there: finish its onboarding to be paid."
    return _notification(kind, payee, "onboarding_needed", wallet, sentence, trace)


def operator_notification(kind: str, about: str, sentence: str, trace: Cause) -> Message:
    return _notification("operator", "operator", kind, about, sentence, trace)


def finance_notification(kind: str, about: str, sentence: str, trace: Cause) -> Message:
    return _notification("finance", "finance", kind, about, sentence, trace)


def _to_payee(transfer: SentTransfer | StoppedTransfer | ReversedTransfer, kind: str, text: str) -> Message:
    facts = {"amount": str(transfer.amount), "currency": transfer.currency}
    about = str(transfer.id)
    return _notification(transfer.payee_kind, transfer.payee, kind, about, text, transfer.trace, facts)


def _notification(
    recipient_kind: Any,
    recipient: str,
    kind: str,
    about: str,
    sentence: str,
    trace: Cause,
    facts: dict[str, str] | None = None,
) -> Message:
    event = NotificationRequested(
        recipient_kind=recipient_kind,
        recipient=recipient,
        kind=kind,
        about=about,
        sentence=sentence,
        facts=facts or {},
    )
    return Message(topic="notification.requested", key=recipient, event=event, cause=trace)


def _money_of(transfer: SentTransfer | StoppedTransfer | ReversedTransfer) -> str:
    return _money(transfer.amount, transfer.currency)


def _money(amount: int, currency: str) -> str:
    return f"{format_minor(amount, currency)} {currency}"
