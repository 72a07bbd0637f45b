"""Messages of settlements: what payouts and the ledger are asked for, and what people are told of them."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, time
from typing import Final, Literal
from uuid import UUID

from pydantic import ValidationError

from fleet.admitted import Admitted
from fleet.cause import Cause
from fleet.envelope import Message, Record, first_cause
from schemas.journals import EntryRequest, JournalPosted, JournalRefused, JournalRequested
from schemas.notifications import NotificationRequested
from schemas.refunds import RefundRequested, RefundSettled
from schemas.reversals import ReversalRequested, ReversalSettled
from schemas.transfers import TransferSent
from services.adjustments.domain.adjustments import PREFIX, Adjustment
from services.adjustments.domain.settlements import PREFIX as SETTLEMENT_PREFIX
from services.adjustments.domain.settlements import CameBack, Settlement, journal_entries
from services.adjustments.domain.settlements_answers import PROOFS
from services.adjustments.domain.settlements_early import Kept
from services.adjustments.domain.settlements_sent import (
    Carried,
    PartCarried,
    Posted,
    Refunded,
    Refused,
    ReturnedRefund,
    Reversed,
    Window,
)
from services.adjustments.wire.records import RETURNED_PREFIX

EVENT_TYPE: Final = "settlement"
PAID_BY_MAX: Final = 100
STRIPE_WALLET: Final = "external:stripe"
_PERSONS: Final[dict[str, Literal["student", "instructor", "aircraft_owner"]]] = {
    "student": "student",
    "instructor": "instructor",
    "aircraft_owner": "aircraft_owner",
}


# What is asked for.


def reversal_requested(settlement: Settlement, adjustment: Adjustment) -> Message:
    """Ask payouts to take back what a payee owes; asked again it is the same request."""
    event = ReversalRequested(
        settlement_id=settlement.id,
        wallet=settlement.wallet,
        currency=settlement.currency,
        amount=-settlement.amount,
        source=adjustment.source,
        paid_by=list(adjustment.paid_by[:PAID_BY_MAX]),
    )
    return Message(topic="reversal.requested", key=settlement.wallet, event=event, cause=adjustment.trace)


def refund_requested(settlement: Settlement, adjustment: Adjustment) -> Message:
    """Ask payouts to refund what a student is owed; asked again it is the same request."""
    event = RefundRequested(
        settlement_id=settlement.id,
        wallet=settlement.wallet,
        currency=settlement.currency,
        amount=settlement.amount,
        source=adjustment.source,
    )
    return Message(topic="refund.requested", key=settlement.wallet, event=event, cause=adjustment.trace)


def journal_requested(settlement: Settlement, adjustment: Adjustment, now: datetime) -> Message:
    """Ask the ledger to post what settles it; asked again it is the same journal.

    A cheque's journal is of noon, UTC, of the day on which it was paid: everywhere but in the Pacific's far
    west that is the same date.
    """
    cheque, occurred_at = settlement.cheque, now
    memo = f"{settlement.method} of adjustment {adjustment.name}, {settlement.wallet}"
    if cheque is not None:
        occurred_at = datetime.combine(cheque.paid_on, time(12), UTC)
        memo += f": {cheque.number} of {cheque.paid_on.isoformat()}"
    event = JournalRequested(
        source=settlement.source,
        event_type=EVENT_TYPE,
        currency=settlement.currency,
        occurred_at=min(occurred_at, now),
        memo=memo,
        entries=[
            EntryRequest(wallet=wallet, amount=amount)
            for wallet, amount in journal_entries(settlement).items()
        ],
    )
    return Message(topic="journal.requested", key=event.source, event=event, cause=adjustment.trace)


# What people are told.


def told(settlement: Settlement, adjustment: Adjustment, kind: str, sentence: str, left: int) -> Message:
    """Tell a payee or student of its settlement. left: what it owes in all, minor units."""
    recipient_kind, _, recipient = settlement.wallet.partition(":")
    event = NotificationRequested(
        recipient_kind=_PERSONS[recipient_kind],
        recipient=recipient,
        kind=kind,
        about=adjustment.name,
        sentence=f"Flight {adjustment.flight}: {sentence}",
        facts={
            "flight": adjustment.flight,
            "revision": str(adjustment.revision),
            "method": str(settlement.method),
            "amount": str(settlement.amount),
            "left": str(left),
            "currency": settlement.currency,
        },
    )
    return Message(topic="notification.requested", key=recipient, event=event, cause=adjustment.trace)


def finance(kind: str, about: str, sentence: str, trace: Cause) -> Message:
    """Tell finance of a settlement that needs a person."""
    event = NotificationRequested(
        recipient_kind="finance", recipient="finance", kind=kind, about=about, sentence=sentence
    )
    return Message(topic="notification.requested", key="finance", event=event, cause=trace)


def forgotten(kept: Kept) -> Message:
    """Tell finance of an answer to what a restored database has forgotten."""
    said = (
        f"settlement {kept.settlement_id} was answered, and nobody decided it here: {kept.sentence}. The "
        "database was restored: decide again what was decided since its backup (runbook settlements)"
    )
    return finance("settlement_forgotten", str(kept.settlement_id), said, first_cause())


# What is read.


def posted(admitted: Iterable[Admitted[JournalPosted]]) -> list[Posted]:
    """The journals of settlements that the ledger posted."""
    return [
        Posted(
            settlement_id=settlement_id,
            entries={entry.wallet: entry.amount for entry in one.event.entries},
        )
        for one in admitted
        if (settlement_id := settlement_of(one.event.source)) is not None
    ]


def refused(admitted: Iterable[Admitted[JournalRefused]]) -> list[Refused]:
    """The settlements whose journals the ledger did not post."""
    return [
        Refused(
            settlement_id=settlement_id,
            sentence=f"the ledger refused its journal ({one.event.reason}): {one.event.sentence}",
        )
        for one in admitted
        if (settlement_id := settlement_of(one.event.source)) is not None
    ]


def settlement_of(source: str) -> UUID | None:
    """The settlement whose journal a source names; None when it names none."""
    if not source.startswith(SETTLEMENT_PREFIX):
        return None
    try:
        return UUID(source.removeprefix(SETTLEMENT_PREFIX))
    except ValueError:
        return None


def answers(admitted: Iterable[Admitted[ReversalSettled]]) -> list[Reversed]:
    """Payouts' answers to reversals."""
    return [
        Reversed(
            settlement_id=one.event.settlement_id,
            asked=one.event.asked,
            came_back=CameBack(
                amount=one.event.reversed,
                proof=", ".join(one.event.reversals) or one.event.reason,
                sentence=one.event.sentence or one.event.reason,
            ),
        )
        for one in admitted
    ]


def refund_answers(admitted: Iterable[Admitted[RefundSettled]]) -> list[Refunded]:
    """Payouts' answers to refunds of corrections; of what was overpaid receivables hears."""
    return [
        Refunded(
            settlement_id=one.event.settlement_id,
            asked=one.event.asked,
            came_back=CameBack(
                amount=one.event.refunded,
                proof=PROOFS.join(one.event.refunds) or one.event.reason,
                sentence=one.event.sentence or one.event.reason,
            ),
            refunds=tuple(one.event.refunds),
        )
        for one in admitted
        if one.event.source.startswith(PREFIX)
    ]


def returned_refunds(admitted: Iterable[Admitted[JournalPosted]]) -> list[ReturnedRefund]:
    """The refunds that banks sent back, by receivables' journals of them."""
    return [
        ReturnedRefund(
            refund=one.event.source.removeprefix(RETURNED_PREFIX),
            amount=-sum(entry.amount for entry in one.event.entries if entry.wallet == STRIPE_WALLET),
            source=one.event.source,
        )
        for one in admitted
        if one.event.source.startswith(RETURNED_PREFIX)
    ]


def carried(admitted: Iterable[Admitted[TransferSent]]) -> list[Carried]:
    """The adjustments that transfers carried, but for debts of which they say how much they took off."""
    return [
        Carried(
            source=source,
            wallet=one.event.wallet,
            transfer_id=one.event.transfer_id,
            sent_at=one.event.sent_at,
        )
        for one in admitted
        for source in one.event.sources
        if source.startswith(PREFIX) and source not in {part.source for part in one.event.deducted}
    ]


def parts(admitted: Iterable[Admitted[TransferSent]]) -> list[PartCarried]:
    """How much of adjustments' debts transfers took off, the last part too."""
    return [
        PartCarried(
            source=part.source,
            wallet=one.event.wallet,
            transfer_id=one.event.transfer_id,
            sent_at=one.event.sent_at,
            amount=part.amount,
        )
        for one in admitted
        for part in (*one.event.parts, *one.event.deducted)
        if part.source.startswith(PREFIX)
    ]


def windows(batch: Sequence[Record], now: datetime) -> list[Window]:
    """The transfers of a batch of `transfer.sent` of which money can still be taken back.

    What cannot be read is left out: who admits the record buries it.
    """
    return [
        Window(
            transfer_id=event.transfer_id,
            wallet=event.wallet,
            currency=event.currency,
            amount=event.amount,
            sources=tuple(event.sources),
            clawback_until=event.clawback_until,
        )
        for record in batch
        if (event := _transfer(record)) is not None and event.clawback_until > now
    ]


def _transfer(record: Record) -> TransferSent | None:
    try:
        return TransferSent.model_validate_json(record.value or b"")
    except ValidationError:
        return None
