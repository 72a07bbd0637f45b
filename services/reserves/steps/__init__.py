"""What happens inside one transaction: lock, decide, write, stage. The caller opens and commits it."""

from services.reserves.steps import health, lines, positions, reconciliation

__all__ = ["health", "lines", "positions", "reconciliation"]
