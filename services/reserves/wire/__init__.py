"""Records read into domain values, and messages written from them."""

from services.reserves.wire import reserve_messages, reserve_records

__all__ = ["reserve_messages", "reserve_records"]
