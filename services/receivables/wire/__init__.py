"""Reads Stripe's objects and the school's book into facts, and writes messages."""

from services.receivables.wire import (
    account_notes,
    auto_charges,
    book,
    credit_levels,
    dispatches,
    dunning,
    journals,
    messages,
    saved_methods,
    stripe_objects,
)

__all__ = [
    "account_notes",
    "auto_charges",
    "book",
    "credit_levels",
    "dispatches",
    "dunning",
    "journals",
    "messages",
    "saved_methods",
    "stripe_objects",
]
