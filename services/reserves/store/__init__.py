"""Every SQL statement of reserves' worker, a file for each group of tables."""

from services.reserves.store import alerts, days, health, lines, matches, policy, positions

__all__ = ["alerts", "days", "health", "lines", "matches", "policy", "positions"]
