"""What happens inside one transaction: lock, decide, write. The caller opens and commits it."""

from services.ledger.steps import groups, holds, posting, preview, reverts

__all__ = ["groups", "holds", "posting", "preview", "reverts"]
