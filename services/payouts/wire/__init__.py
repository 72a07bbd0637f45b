"""Records read into domain values, and messages written from them."""

from services.payouts.wire import (
    balance,
    contacts,
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
    "fields",
    "messages",
    "missed_events",
    "movements",
    "notifications",
    "records",
    "stripe_objects",
]
