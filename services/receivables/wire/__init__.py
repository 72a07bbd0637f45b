"""Reads Stripe's objects and the school's book into facts, and writes messages."""

from services.receivables.wire import book, dispatches, messages, stripe_objects

__all__ = ["book", "dispatches", "messages", "stripe_objects"]
