"""What this service tells others: journals to post, facts about money, and what people wait to hear.

Pure: rows and values in, messages out. No event carries an address or a name, only ids.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from fleet.envelope import Message
from fleet.money import format_minor
from schemas.journals import EntryRequest, JournalRequested
from schemas.notifications import NotificationRequested
from schemas.payments import ChargeSettled
from schemas.transfers import PayoutSettled, TransferParked, TransferRefused, TransferReversed, TransferSent
from services.payouts.domain.payouts import SeenPayout
from services.payouts.domain.trace import Trace
from services.payouts.domain.transfers import SENTENCES, Hold
from services.payouts.store.json_rows import trace_of as stored_trace
from services.payouts.wire.records import cause_of

EXTERNAL_STRIPE = "external:stripe"


def sent_messages(sent: Sequence[Row[Any]]) -> list[Message]:
    """For each transfer that Stripe took: the journal, the fact, and word to the payee."""
    return [message for row in sent for message in (_transfer_journal(row), _sent_fact(row), _sent_word(row))]


def _transfer_journal(row: Row[Any]) -> Message:
    return journal(
        source=f"transfer:{row.id}",
        event_type="transfer",
        currency=row.currency,
        occurred_at=row.sent_at,
        memo=f"transfer {row.stripe_transfer_id} to {row.wallet}",
        entries=((row.wallet, -row.amount), (EXTERNAL_STRIPE, row.amount)),
        trace=stored_trace(row.trace),
    )


def _sent_fact(row: Row[Any]) -> Message:
    event = TransferSent(
        transfer_id=row.id,
        payee=row.payee,
        wallet=row.wallet,
        amount=row.amount,
        currency=row.currency,
        stripe_transfer_id=row.stripe_transfer_id,
        stripe_account=row.stripe_account,
        sources=list(row.sources),
        sent_at=row.sent_at,
        clawback_until=row.clawback_until,
    )
    return _about_transfer("transfer.sent", row, event)


def _sent_word(row: Row[Any]) -> Message:
    sentence = f"{_money(row)} is on its way to your Stripe account."
    return _word_to_payee(row, "transfer_sent", str(row.id), sentence, stored_trace(row.trace))


def refused_messages(refused: Sequence[Row[Any]]) -> list[Message]:
    """For each transfer that Stripe refused for good: the fact, and word to the payee and to finance."""
    messages: list[Message] = []
    for row in refused:
        event = TransferRefused(
            transfer_id=row.id,
            payee=row.payee,
            wallet=row.wallet,
            amount=row.amount,
            currency=row.currency,
            reason=row.reason,
            sentence=row.sentence,
        )
        trace = stored_trace(row.trace)
        said = f"{_money(row)} could not be sent: {row.sentence}"
        messages += [
            _about_transfer("transfer.refused", row, event),
            _word_to_payee(row, "transfer_failed", str(row.id), said, trace),
            word_to_finance("transfer_failed", str(row.id), f"{row.wallet}: {said}", trace),
        ]
    return messages


def parked_messages(parked: Sequence[Row[Any]]) -> list[Message]:
    """For each transfer nobody can prove: the fact, and word to the operator who has to decide."""
    messages: list[Message] = []
    for row in parked:
        event = TransferParked(
            transfer_id=row.id,
            payee=row.payee,
            wallet=row.wallet,
            amount=row.amount,
            currency=row.currency,
            reason=row.reason,
            sentence=row.sentence,
        )
        said = f"transfer {row.id} of {_money(row)} to {row.wallet} is parked: {row.sentence}"
        messages += [
            _about_transfer("transfer.parked", row, event),
            word_to_operator("transfer_parked", str(row.id), said, stored_trace(row.trace)),
        ]
    return messages


def reversal_messages(reversals: Sequence[Row[Any]], transfers: Sequence[Row[Any]]) -> list[Message]:
    """For each new reversal its journal, for each transfer the total that came back."""
    by_id = {row.id: row for row in transfers}
    messages = [_reversal_journal(reversal, by_id[reversal.transfer_id]) for reversal in reversals]
    latest: dict[UUID, datetime] = {}
    for reversal in reversals:
        latest[reversal.transfer_id] = max(
            reversal.reversed_at, latest.get(reversal.transfer_id, reversal.reversed_at)
        )
    for row in transfers:
        event = TransferReversed(
            transfer_id=row.id,
            payee=row.payee,
            wallet=row.wallet,
            amount=row.amount,
            currency=row.currency,
            amount_reversed=row.amount_reversed,
            stripe_transfer_id=row.stripe_transfer_id,
            reversed_at=latest[row.id],
        )
        back = format_minor(row.amount_reversed, row.currency)
        said = f"{back} of {_money(row)} was taken back from your Stripe account."
        messages += [
            _about_transfer("transfer.reversed", row, event),
            _word_to_payee(row, "transfer_reversed", str(row.id), said, stored_trace(row.trace)),
        ]
    return messages


def _reversal_journal(reversal: Row[Any], transfer: Row[Any]) -> Message:
    return journal(
        source=f"reversal:{reversal.stripe_reversal_id}",
        event_type="reversal",
        currency=transfer.currency,
        occurred_at=reversal.reversed_at,
        memo=f"reversal of {transfer.stripe_transfer_id}",
        entries=((transfer.wallet, reversal.amount), (EXTERNAL_STRIPE, -reversal.amount)),
        trace=stored_trace(transfer.trace),
    )


def payout_messages(
    payout: SeenPayout, wallet: str, fee: int, transfers: Collection[UUID], now: datetime, trace: Trace
) -> list[Message]:
    """A payout reached the bank, or came back: the fact, and word to the payee."""
    kind, _, payee = wallet.partition(":")
    paid = payout.status == "paid"
    event = PayoutSettled(
        stripe_payout_id=payout.stripe_payout_id,
        stripe_account=payout.stripe_account,
        payee=payee,
        amount=payout.amount,
        fee=fee,
        currency=payout.currency,
        paid=paid,
        instant=payout.instant,
        failure=None if paid else payout.failure or "the bank did not take it",
        transfers=sorted(transfers),
        settled_at=now,
    )
    money = f"{format_minor(payout.amount, payout.currency)} {payout.currency}"
    said = (
        f"{money} is in your bank."
        if paid
        else f"{money} did not reach your bank: {event.failure}. Check your bank details at Stripe."
    )
    return [
        Message(topic="payout.settled", key=payout.stripe_account, event=event, cause=cause_of(trace)),
        _word(
            kind, payee, "payout_in_bank" if paid else "payout_failed", payout.stripe_payout_id, said, trace
        ),
    ]


def instant_fee_journal(
    wallet: str, stripe_payout_id: str, fee: int, currency: str, at: datetime, trace: Trace
) -> Message:
    """The fee Stripe took from the payee's own balance: charged to the payee, and paid by it at Stripe.

    Both entries are the payee's, because no money of the school moved: see decision 0026.
    """
    return journal(
        source=f"instant-fee:{stripe_payout_id}",
        event_type="instant_fee",
        currency=currency,
        occurred_at=at,
        memo=f"Stripe's fee for instant payout {stripe_payout_id}, taken from the payee's Stripe balance",
        entries=((wallet, -fee), (wallet, fee)),
        trace=trace,
    )


def charge_settled(
    transaction: Mapping[str, Any], charge_id: str, available_at: datetime, trace: Trace
) -> Message:
    """Stripe's fee of a charge is known."""
    event = ChargeSettled(
        charge_id=charge_id,
        balance_transaction_id=transaction["id"],
        gross=transaction["amount"],
        fee=transaction["fee"],
        net=transaction["net"],
        currency=transaction["currency"].upper(),
        available_at=available_at,
    )
    return Message(topic="charge.settled", key=charge_id, event=event, cause=cause_of(trace))


def held_word(wallet: str, hold: Hold, trace: Trace) -> Message:
    """Tell whoever can end it why a payee's money is held: the payee about its account, else finance."""
    kind, _, payee = wallet.partition(":")
    if hold is Hold.PAYEE_NOT_READY:
        said = "Money is waiting for you: finish Stripe's onboarding, and it is sent by itself."
        return _word(kind, payee, "onboarding_needed", wallet, said, trace, {"reason": str(hold)})
    said = f"Money for {wallet} is held: {SENTENCES[hold]}"
    return _word("finance", "finance", "transfer_held", wallet, said, trace, {"reason": str(hold)})


def balance_word(missing: int, currency: str, trace: Trace) -> Message:
    """Tell finance that the school's Stripe balance does not cover what is due."""
    money = f"{format_minor(missing, currency)} {currency}"
    said = f"The school's Stripe balance does not cover {money} of transfers."
    facts = {"amount": str(missing), "currency": currency}
    return _word("finance", "finance", "transfer_held", f"balance:{currency}", said, trace, facts)


def onboarding_word(wallet: str, trace: Trace) -> Message:
    """Tell a payee whose account was just made what it has to do."""
    kind, _, payee = wallet.partition(":")
    said = "Your Stripe account is there: finish its onboarding to be paid."
    return _word(kind, payee, "onboarding_needed", wallet, said, trace)


def word_to_operator(kind: str, about: str, sentence: str, trace: Trace) -> Message:
    return _word("operator", "operator", kind, about, sentence, trace)


def word_to_finance(kind: str, about: str, sentence: str, trace: Trace) -> Message:
    return _word("finance", "finance", kind, about, sentence, trace)


def journal(
    *,
    source: str,
    event_type: str,
    currency: str,
    occurred_at: datetime,
    memo: str,
    entries: Sequence[tuple[str, int]],
    trace: Trace,
) -> Message:
    event = JournalRequested(
        source=source,
        event_type=event_type,
        currency=currency,
        occurred_at=occurred_at,
        memo=memo,
        entries=[EntryRequest(wallet=wallet, amount=amount) for wallet, amount in entries],
    )
    return Message(topic="journal.requested", key=source, event=event, cause=cause_of(trace))


def _about_transfer(topic: str, row: Row[Any], event: Any) -> Message:
    return Message(topic=topic, key=str(row.id), event=event, cause=cause_of(stored_trace(row.trace)))


def _word_to_payee(row: Row[Any], kind: str, about: str, sentence: str, trace: Trace) -> Message:
    facts = {"amount": str(row.amount), "currency": row.currency}
    return _word(row.payee_kind, row.payee, kind, about, sentence, trace, facts)


def _word(
    recipient_kind: Any,
    recipient: str,
    kind: str,
    about: str,
    sentence: str,
    trace: Trace,
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
    return Message(topic="notification.requested", key=recipient, event=event, cause=cause_of(trace))


def _money(row: Row[Any]) -> str:
    return f"{format_minor(row.amount, row.currency)} {row.currency}"
