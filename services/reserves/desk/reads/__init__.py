"""What people may read, from published views only."""

from services.reserves.desk.reads import alerts, forecast, reconciliation, reserve

__all__ = ["alerts", "forecast", "reconciliation", "reserve"]
