"""Records read into domain values, and messages written from them."""

from services.payouts.wire import (
    balance,
    contacts,
    dunning,
    fields,
    messages,
    missed_events,
    movements,
    notifications,
    records,
    stripe_objects,
)

__all__ = [
    "balance",
    "contacts",
    "dunning",
    "fields",
    "messages",
    "missed_events",
    "movements",
    "notifications",
    "records",
    "stripe_objects",
]
