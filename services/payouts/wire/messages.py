"""The events that payouts publishes about money, and the journals it asks the ledger to post.

Domain values in, messages out. Events name payees by id only: no name, no address.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from fleet.cause import Cause
from fleet.envelope import Message
from schemas.charges import ChargeAnswered
from schemas.journals import EntryRequest, JournalRequested
from schemas.payments import ChargeSettled
from schemas.refunds import RefundSettled
from schemas.reversals import ReversalSettled
from schemas.transfers import (
    PartTaken,
    PayoutSettled,
    TransferParked,
    TransferRefused,
    TransferReversed,
    TransferSent,
)
from services.payouts.domain import refunds
from services.payouts.domain.charges import Answered
from services.payouts.domain.clawbacks import Settled
from services.payouts.domain.movements import EXTERNAL_STRIPE
from services.payouts.domain.payouts import NewReversal, SeenPayout
from services.payouts.domain.transfers import ReversedTransfer, SentTransfer, StoppedTransfer
from services.payouts.wire import notifications
from services.payouts.wire.stripe_objects import SettledCharge


def sent_messages(sent: Sequence[SentTransfer]) -> list[Message]:
    """For each transfer that Stripe took: the journal, the event, and the payee's notification."""
    return [
        message
        for transfer in sent
        for message in (
            _transfer_journal(transfer),
            _sent_event(transfer),
            notifications.sent_notification(transfer),
        )
    ]


def _transfer_journal(transfer: SentTransfer) -> Message:
    return journal(
        source=f"transfer:{transfer.id}",
        event_type="transfer",
        currency=transfer.currency,
        occurred_at=transfer.sent_at,
        memo=f"transfer {transfer.stripe_transfer_id} to {transfer.wallet}",
        entries=((transfer.wallet, -transfer.amount), (EXTERNAL_STRIPE, transfer.amount)),
        trace=transfer.trace,
    )


def _sent_event(transfer: SentTransfer) -> Message:
    event = TransferSent(
        transfer_id=transfer.id,
        payee=transfer.payee,
        wallet=transfer.wallet,
        amount=transfer.amount,
        currency=transfer.currency,
        stripe_transfer_id=transfer.stripe_transfer_id,
        stripe_account=transfer.stripe_account,
        sources=list(transfer.sources),
        parts=[PartTaken(source=source, amount=amount) for source, amount in transfer.parts],
        deducted=[PartTaken(source=source, amount=amount) for source, amount in transfer.deducted],
        sent_at=transfer.sent_at,
        clawback_until=transfer.clawback_until,
    )
    return _about("transfer.sent", transfer.id, event, transfer.trace)


def refused_messages(refused: Sequence[StoppedTransfer], told: Sequence[StoppedTransfer]) -> list[Message]:
    """For each transfer that Stripe refused: the event; of those in `told`, payee and finance hear."""
    messages: list[Message] = []
    for transfer in refused:
        event = TransferRefused(
            transfer_id=transfer.id,
            payee=transfer.payee,
            wallet=transfer.wallet,
            amount=transfer.amount,
            currency=transfer.currency,
            reason=transfer.reason,
            sentence=transfer.sentence,
        )
        messages.append(_about("transfer.refused", transfer.id, event, transfer.trace))
        if transfer in told:
            messages += notifications.refused_notifications(transfer)
    return messages


def parked_messages(parked: Sequence[StoppedTransfer], told: Sequence[StoppedTransfer]) -> list[Message]:
    """For each transfer of which nothing proves what happened: the event; of `told`, the operator hears."""
    messages: list[Message] = []
    for transfer in parked:
        event = TransferParked(
            transfer_id=transfer.id,
            payee=transfer.payee,
            wallet=transfer.wallet,
            amount=transfer.amount,
            currency=transfer.currency,
            reason=transfer.reason,
            sentence=transfer.sentence,
        )
        messages.append(_about("transfer.parked", transfer.id, event, transfer.trace))
        if transfer in told:
            messages.append(notifications.parked_notification(transfer))
    return messages


def reversal_messages(
    reversals: Sequence[NewReversal], transfers: Sequence[ReversedTransfer]
) -> list[Message]:
    """For each new reversal its journal; for each transfer the total that was taken back."""
    by_id = {transfer.id: transfer for transfer in transfers}
    messages = [_reversal_journal(reversal, by_id[reversal.transfer_id]) for reversal in reversals]
    latest: dict[UUID, datetime] = {}
    for reversal in reversals:
        latest[reversal.transfer_id] = max(
            reversal.reversed_at, latest.get(reversal.transfer_id, reversal.reversed_at)
        )
    for transfer in transfers:
        event = TransferReversed(
            transfer_id=transfer.id,
            payee=transfer.payee,
            wallet=transfer.wallet,
            amount=transfer.amount,
            currency=transfer.currency,
            amount_reversed=transfer.amount_reversed,
            stripe_transfer_id=transfer.stripe_transfer_id,
            reversed_at=latest[transfer.id],
        )
        messages += [
            _about("transfer.reversed", transfer.id, event, transfer.trace),
            notifications.reversed_notification(transfer),
        ]
    return messages


def _reversal_journal(reversal: NewReversal, transfer: ReversedTransfer) -> Message:
    return journal(
        source=f"reversal:{reversal.stripe_reversal_id}",
        event_type="reversal",
        currency=transfer.currency,
        occurred_at=reversal.reversed_at,
        memo=f"reversal of {transfer.stripe_transfer_id}",
        entries=((transfer.wallet, reversal.amount), (EXTERNAL_STRIPE, -reversal.amount)),
        trace=transfer.trace,
    )


def reversal_settled(settled: Settled) -> Message:
    """The answer to a request to take money back."""
    asked = settled.asked
    event = ReversalSettled(
        settlement_id=asked.settlement_id,
        wallet=asked.wallet,
        currency=asked.currency,
        source=asked.source,
        asked=asked.asked,
        reversed=settled.reversed,
        reversals=list(settled.reversals),
        reason=settled.reason,
        sentence=settled.sentence,
        settled_at=settled.settled_at,
    )
    return Message(topic="reversal.settled", key=asked.wallet, event=event, cause=asked.trace)


def refund_settled(settled: refunds.Settled) -> Message:
    """The answer to a request to refund."""
    asked, answer = settled.asked, settled.answer
    event = RefundSettled(
        settlement_id=asked.settlement_id,
        wallet=asked.wallet,
        currency=asked.currency,
        source=asked.source,
        asked=asked.asked,
        refunded=answer.refunded,
        refunds=list(answer.refunds),
        reason=str(answer.reason),
        sentence=answer.sentence,
        settled_at=settled.settled_at,
    )
    return Message(topic="refund.settled", key=asked.wallet, event=event, cause=asked.trace)


def charge_answered(told: Answered) -> Message:
    """The answer to a request to charge."""
    asked, answer = told.asked, told.answer
    event = ChargeAnswered(
        request_id=asked.request_id,
        wallet=asked.wallet,
        currency=asked.currency,
        amount=asked.amount,
        cause=asked.cause,
        outcome=str(answer.outcome),
        payment_intent=answer.payment_intent,
        charge=answer.charge,
        code=answer.code,
        advice=answer.advice,
        sentence=answer.sentence,
        answered_at=answer.at,
    )
    return Message(topic="charge.answered", key=asked.wallet, event=event, cause=asked.trace)


def payout_messages(
    payout: SeenPayout, wallet: str, fee: int, transfers: Collection[UUID], now: datetime, trace: Cause
) -> list[Message]:
    """A payout that reached the bank, or came back: the event, and the payee's notification."""
    paid = payout.status == "paid"
    failure = None if paid else payout.failure or "the bank did not take it"
    event = PayoutSettled(
        stripe_payout_id=payout.stripe_payout_id,
        stripe_account=payout.stripe_account,
        payee=wallet.partition(":")[2],
        amount=payout.amount,
        fee=fee,
        currency=payout.currency,
        paid=paid,
        instant=payout.instant,
        failure=failure,
        transfers=sorted(transfers),
        settled_at=now,
    )
    return [
        Message(topic="payout.settled", key=payout.stripe_account, event=event, cause=trace),
        notifications.payout_notification(payout, wallet, failure, trace),
    ]


def instant_fee_journal(
    wallet: str, stripe_payout_id: str, fee: int, currency: str, at: datetime, trace: Cause
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


def charge_settled(settled: SettledCharge, charge_id: str, trace: Cause) -> Message:
    """The fee that Stripe took of a charge, as its balance transaction names it."""
    event = ChargeSettled(
        charge_id=charge_id,
        balance_transaction_id=settled.transaction_id,
        gross=settled.gross,
        fee=settled.fee,
        net=settled.net,
        currency=settled.currency,
        available_at=settled.available_at,
    )
    return Message(topic="charge.settled", key=charge_id, event=event, cause=trace)


def journal(
    *,
    source: str,
    event_type: str,
    currency: str,
    occurred_at: datetime,
    memo: str,
    entries: Sequence[tuple[str, int]],
    trace: Cause,
) -> Message:
    """Ask the ledger for a journal. `entries`: wallet and amount in minor units; they add up to zero."""
    event = JournalRequested(
        source=source,
        event_type=event_type,
        currency=currency,
        occurred_at=occurred_at,
        memo=memo,
        entries=[EntryRequest(wallet=wallet, amount=amount) for wallet, amount in entries],
    )
    return Message(topic="journal.requested", key=source, event=event, cause=trace)


def _about(topic: str, transfer_id: UUID, event: Any, trace: Cause) -> Message:
    return Message(topic=topic, key=str(transfer_id), event=event, cause=trace)
