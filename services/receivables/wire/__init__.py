"""Reads Stripe's objects into facts, and writes messages."""

from services.receivables.wire import messages, stripe_objects

__all__ = ["messages", "stripe_objects"]
