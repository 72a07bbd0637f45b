"""Records read into domain values, and messages written from them."""

from services.adjustments.wire import messages, notifications, records, settlements

__all__ = ["messages", "notifications", "records", "settlements"]
