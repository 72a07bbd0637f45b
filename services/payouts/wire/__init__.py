"""Records read into the domain, and messages written from it."""

from services.payouts.wire import messages, records

__all__ = ["messages", "records"]
