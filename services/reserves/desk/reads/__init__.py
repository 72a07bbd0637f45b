"""What people may read, from published views only."""

from services.reserves.desk.reads import reconciliation

__all__ = ["reconciliation"]
