"""Events read into the domain, and messages written from it."""

from services.billing.wire import events

__all__ = ["events"]
