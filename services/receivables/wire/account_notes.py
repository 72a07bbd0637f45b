"""Refunds of what was overpaid: what payouts is asked for, and what it answers."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from fleet.cause import Cause
from fleet.envelope import Message, Record
from fleet.inbox import read
from schemas.refunds import RefundRequested, RefundSettled
from services.receivables.domain.account_notes import Note

SOURCE: Final = "overpaid:"  # of other requests' answers adjustments hears


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What went back of a refund, by which refunds at Stripe."""

    id: UUID
    refunded: int
    refunds: tuple[str, ...]
    sentence: str
    at: datetime


def refund_requested(note: Note, cause: Cause) -> Message:
    """Ask payouts for a refund; asked again it is the same request."""
    event = RefundRequested(
        settlement_id=note.id,
        wallet=f"student:{note.student}",
        currency=note.currency,
        amount=note.amount,
        source=f"{SOURCE}{note.id}",
    )
    return Message(topic="refund.requested", key=event.wallet, event=event, cause=cause)


def refund_settled(record: Record) -> Answer | None:
    """Read an answer; None: it is to somebody else's request."""
    event = read(record, RefundSettled)
    if not event.source.startswith(SOURCE):
        return None
    return Answer(
        id=event.settlement_id,
        refunded=event.refunded,
        refunds=tuple(event.refunds),
        sentence=event.sentence or event.reason,
        at=event.settled_at,
    )
