"""Every SQL statement of reserves' worker, a file for each group of tables."""

from services.reserves.store import days, lines, matches

__all__ = ["days", "lines", "matches"]
