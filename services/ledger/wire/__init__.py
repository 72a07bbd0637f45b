"""Records as requests of the domain; replies of the domain as events and dead letters."""

from services.ledger.wire import groups, holds, journals, openings, reverts

__all__ = ["groups", "holds", "journals", "openings", "reverts"]
