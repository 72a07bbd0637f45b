"""Every SQL statement of the ledger's worker."""

from services.ledger.store import journals

__all__ = ["journals"]
