"""Records read into the domain; what became of them as events and dead letters."""

from services.ledger.wire import holds, journals, links

__all__ = ["holds", "journals", "links"]
