"""What happens inside one transaction: lock, decide, write, stage. The caller commits."""

from services.receivables.steps import (
    account_notes,
    auto_charges,
    charges,
    credit,
    credit_levels,
    dispatches,
    dunning,
    failures,
    limit_changes,
    open_items,
    recorded_payments,
    saved_methods,
)

__all__ = [
    "account_notes",
    "auto_charges",
    "charges",
    "credit",
    "credit_levels",
    "dispatches",
    "dunning",
    "failures",
    "limit_changes",
    "open_items",
    "recorded_payments",
    "saved_methods",
]
