"""What people may read, from published views only."""

from services.reserves.desk.reads import alerts, forecast, mismatches, reconciliation, reserve

__all__ = ["alerts", "forecast", "mismatches", "reconciliation", "reserve"]
