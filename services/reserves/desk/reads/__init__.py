"""What people may read, from published views only."""

from services.reserves.desk.reads import reconciliation, reserve

__all__ = ["reconciliation", "reserve"]
