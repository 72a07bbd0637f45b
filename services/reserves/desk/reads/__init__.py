"""What people are shown; published views only."""

from services.reserves.desk.reads import reserve

__all__ = ["reserve"]
