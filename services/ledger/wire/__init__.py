"""Records read into the domain; what became of them as events and dead letters."""

from services.ledger.wire import groups, holds, journals, reverts

__all__ = ["groups", "holds", "journals", "reverts"]
