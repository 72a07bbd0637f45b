"""Every SQL statement of the worker, a module for each group of tables."""

from services.receivables.store import (
    charges,
    credit,
    dispatches,
    failures,
    moves,
    students,
    unallocated,
    waiting,
    webhooks,
)

__all__ = [
    "charges",
    "credit",
    "dispatches",
    "failures",
    "moves",
    "students",
    "unallocated",
    "waiting",
    "webhooks",
]
