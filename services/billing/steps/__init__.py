"""What happens inside one transaction: lock, decide, write, stage; the caller commits."""

from services.billing.steps import revisions, versions

__all__ = ["revisions", "versions"]
