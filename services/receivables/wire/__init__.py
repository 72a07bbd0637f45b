"""Stripe's objects read into facts; decisions written as messages."""

from services.receivables.wire import messages, stripe_objects

__all__ = ["messages", "stripe_objects"]
