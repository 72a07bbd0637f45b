"""Rows of the platform's Stripe balance, read without believing them, and the journals that they need."""

from collections.abc import Mapping
from typing import Any

from fleet.envelope import Message, first_cause
from services.payouts.domain.movements import PAYMENTS, Judged, Movement, source_of
from services.payouts.domain.odd_objects import OddField, OddObject
from services.payouts.wire.fields import amount, currency, id_of, instant, odd_object, text, whole, word
from services.payouts.wire.messages import journal


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
        description=text(row.get("description")),
        made_at=instant(row),
    )


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


def odd_change(row: Movement) -> OddObject:
    """A row that Stripe shows with other money than before."""
    shown = {name: str(getattr(row, name)) for name in Movement.__slots__}
    why = "it is shown with another amount, currency or type than before"
    return odd_object("balance transaction", {"id": row.transaction_id, **shown}, why)
