"""Records read into domain values, and messages written from them."""

from services.payouts.wire import messages, missed_events, notifications, records, stripe_objects

__all__ = ["messages", "missed_events", "notifications", "records", "stripe_objects"]
