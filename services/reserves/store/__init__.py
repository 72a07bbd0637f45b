"""Every SQL statement of reserves' worker, a file for each group of tables."""

from services.reserves.store import days, health, lines, matches, policy, positions

__all__ = ["days", "health", "lines", "matches", "policy", "positions"]
