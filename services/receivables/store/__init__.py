"""Every SQL statement of the worker, a module for each group of tables."""

from services.receivables.store import (
    allowances,
    auto_charges,
    charge_ends,
    charges,
    credit,
    credit_levels,
    dispatches,
    dunning,
    failures,
    moves,
    open_items,
    saved_methods,
    students,
    unallocated,
    waiting,
    webhooks,
)

__all__ = [
    "allowances",
    "auto_charges",
    "charge_ends",
    "charges",
    "credit",
    "credit_levels",
    "dispatches",
    "dunning",
    "failures",
    "moves",
    "open_items",
    "saved_methods",
    "students",
    "unallocated",
    "waiting",
    "webhooks",
]
