"""Rows of the platform's Stripe balance, read without believing them, and the journals that they need."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from fleet.envelope import Message, first_cause
from schemas.stripe_balance import StripeTransaction
from services.payouts.domain.movements import (
    DESCRIBED_BY_STRIPE,
    PAYMENTS,
    Judged,
    Movement,
    OverdueMovement,
    ShownMovement,
    Unlisted,
    source_of,
)
from services.payouts.domain.odd_objects import OddField, OddObject
from services.payouts.domain.rereads import RereadKind, RereadRequest
from services.payouts.wire.fields import amount, currency, id_of, instant, odd_object, text, whole, word
from services.payouts.wire.messages import journal

TOPIC: Final = "stripe.transaction"
OPENING: Final = "opening"


def movement(row: Mapping[str, Any]) -> Movement:
    """A balance transaction; one whose amount less its fee is not its net raises OddField."""
    if whole(row, "amount") - whole(row, "fee") != whole(row, "net"):
        raise OddField(f"{row['amount']} less the fee {row['fee']} is not the net {row['net']}")
    source = id_of(row.get("source"))
    return Movement(
        transaction_id=word(row, "id"),
        type=word(row, "type"),
        category=word(row, "reporting_category") if row.get("reporting_category") else None,
        balance_type=word(row, "balance_type") if row.get("balance_type") else PAYMENTS,
        amount=amount(row),
        fee=amount(row, "fee"),
        net=amount(row, "net"),
        currency=currency(row),
        source_id=word(row, "source") if source is not None else None,
        description=_description(row),
        made_at=instant(row),
        available_at=instant(row, "available_on") if row.get("available_on") is not None else instant(row),
    )


def _description(row: Mapping[str, Any]) -> str | None:
    """What Stripe says of a row of its own; a charge's description is what somebody wrote about a person."""
    return text(row.get("description")) if row.get("type") in DESCRIBED_BY_STRIPE else None


def movement_journal(judged: Judged) -> Message | None:
    """The journal that a row needs; the same row asks for the same journal, whenever it is read."""
    booking, row = judged.booking, judged.movement
    if booking is None:
        return None
    return journal(
        source=source_of(row),
        event_type=booking.event_type,
        currency=row.currency,
        occurred_at=row.made_at,
        memo=booking.memo[:500],
        entries=booking.entries,
        trace=first_cause(),
    )


def shown(row: ShownMovement) -> Message:
    """Tell of a row as Stripe shows it now."""
    moved = row.movement
    event = StripeTransaction(
        transaction_id=moved.transaction_id,
        version=row.version,
        type=moved.type,
        category=moved.category,
        balance_type=moved.balance_type,
        amount=moved.amount,
        fee=moved.fee,
        net=moved.net,
        currency=moved.currency,
        source_id=moved.source_id,
        made_at=moved.made_at,
        available_at=moved.available_at,
        expected=list(row.expected),
        standing=row.standing,
        sentence=row.sentence,
        noted_at=row.noted_at,
    )
    return Message(topic=TOPIC, key=event.transaction_id, event=event, cause=first_cause())


def unlisted(opening: Unlisted, now: datetime) -> Message:
    """Tell of what was there before the oldest listed row, as one row; backfilling makes it smaller."""
    event = StripeTransaction(
        transaction_id=f"{OPENING}:{opening.currency}",
        version=opening.version,
        type=OPENING,
        amount=opening.amount,
        fee=0,
        net=opening.amount,
        currency=opening.currency,
        made_at=opening.since,
        available_at=opening.since,
        standing="before",
        noted_at=now,
    )
    return Message(topic=TOPIC, key=event.transaction_id, event=event, cause=first_cause())


def odd_change(row: Movement) -> OddObject:
    """A row that Stripe shows with other money than before."""
    shown = {name: str(getattr(row, name)) for name in Movement.__slots__}
    why = "it is shown with another amount, currency or type than before"
    return odd_object("balance transaction", {"id": row.transaction_id, **shown}, why)


def lost_payments(overdue: Iterable[OverdueMovement], now: datetime) -> list[RereadRequest]:
    """Have the charges read that only Stripe's rows tell of."""
    return [
        RereadRequest(kind=RereadKind.PAYMENT, object_id=charge, trace=first_cause(), after=now)
        for row in overdue
        if (charge := row.lost_payment) is not None
    ]
