"""What happens inside one transaction: lock, decide, write, stage. The caller opens and commits it."""

from services.adjustments.steps import (
    answers,
    counts,
    expiry,
    moves,
    proposals,
    recoveries,
    settlements,
    settlements_early,
    settlements_late,
    settlements_refunds,
)

__all__ = [
    "answers",
    "counts",
    "expiry",
    "moves",
    "proposals",
    "recoveries",
    "settlements",
    "settlements_early",
    "settlements_late",
    "settlements_refunds",
]
