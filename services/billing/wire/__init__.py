"""Events read into the domain, and messages written from it."""

from services.billing.wire import card_documents, events

__all__ = ["card_documents", "events"]
