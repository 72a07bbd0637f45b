"""What happens inside one transaction: lock, decide, write. The caller opens and commits it."""

from services.ledger.steps import holds, links, posting

__all__ = ["holds", "links", "posting"]
