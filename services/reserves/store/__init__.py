"""Every SQL statement of reserves' worker, a file for each group of tables."""

from services.reserves.store import health, policy, positions

__all__ = ["health", "policy", "positions"]
