"""Records read into domain values, and messages written from them."""

from services.reserves.wire import lines, reconciliation, reserve_messages, reserve_records

__all__ = ["lines", "reconciliation", "reserve_messages", "reserve_records"]
