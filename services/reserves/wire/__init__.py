"""Records read into domain values, and messages written from them."""

from services.reserves.wire import lines, reconciliation

__all__ = ["lines", "reconciliation"]
