"""What happens inside one transaction: lock, decide, write, stage. The caller commits."""

from services.receivables.steps import charges, credit, dispatches, failures

__all__ = ["charges", "credit", "dispatches", "failures"]
