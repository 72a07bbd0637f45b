"""What people may read, from published views only."""

from services.reserves.desk.reads import alerts, reconciliation, reserve

__all__ = ["alerts", "reconciliation", "reserve"]
