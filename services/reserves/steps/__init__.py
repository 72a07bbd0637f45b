"""What happens inside one transaction: lock, decide, write, stage. The caller opens and commits it."""

from services.reserves.steps import breaks, health, lines, mismatches, positions, reconciliation

__all__ = ["breaks", "health", "lines", "mismatches", "positions", "reconciliation"]
