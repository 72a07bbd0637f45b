"""The school's Stripe balance as Stripe says it, and the event that publishes it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from fleet.envelope import Message, first_cause
from fleet.stripe_amounts import whole_from_stripe
from schemas.stripe_balance import AmountHeld, StripeBalanceRead
from services.payouts.wire.stripe_objects import money_of

_PARTS: Final = ("available", "pending", "connect_reserved")


def nothing() -> dict[str, int]:
    return dict.fromkeys(_PARTS, 0)


def amounts(balance: Mapping[str, Any]) -> dict[str, dict[str, int]]:
    """Currency -> part of the balance -> minor units; what cannot be read counts for nothing."""
    units: dict[str, dict[str, int]] = {}
    for part in _PARTS:
        for currency, amount in money_of(balance.get(part)):
            units.setdefault(currency, nothing())[part] += amount
    return {
        of: {part: whole_from_stripe(amount, of) for part, amount in parts.items()}
        for of, parts in units.items()
    }


def read_message(
    number: int,
    read_at: datetime,
    found: Mapping[str, Mapping[str, int]],
    counts: Mapping[str, tuple[int, int]],
) -> Message:
    """counts: currency -> what had been let out, and what was under way, when the reading began."""
    held = []
    for currency, parts in sorted(found.items()):
        allowed, under_way = counts.get(currency, (0, 0))
        held.append(AmountHeld(currency=currency, **parts, under_way=under_way, allowed_until_now=allowed))
    event = StripeBalanceRead(number=number, read_at=read_at, held=held)
    return Message(topic="stripe.balance", key="balance", event=event, cause=first_cause())
