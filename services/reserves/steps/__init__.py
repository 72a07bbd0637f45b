"""What happens inside one transaction: lock, decide, write, stage. The caller commits."""

from services.reserves.steps import health, positions

__all__ = ["health", "positions"]
