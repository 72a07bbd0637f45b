"""What happens inside one transaction: lock, decide, write, stage. The caller opens and commits it."""

from services.adjustments.steps import answers, expiry, moves, proposals, settlements, settlements_late

__all__ = ["answers", "expiry", "moves", "proposals", "settlements", "settlements_late"]
