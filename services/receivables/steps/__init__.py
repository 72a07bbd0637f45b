"""What happens inside one transaction: lock, decide, write, stage. The caller commits."""

from services.receivables.steps import charges, credit, failures

__all__ = ["charges", "credit", "failures"]
