"""What happens inside one transaction: lock, decide, write, stage. The caller opens and commits it."""

from services.reserves.steps import lines, reconciliation

__all__ = ["lines", "reconciliation"]
