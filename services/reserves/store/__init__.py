"""Every SQL statement of reserves' worker, a file for each group of tables."""

from services.reserves.store import (
    breaks,
    days,
    health,
    lines,
    matches,
    openings,
    policy,
    positions,
    reconciliation_gauges,
    signatures,
)

__all__ = [
    "breaks",
    "days",
    "health",
    "lines",
    "matches",
    "openings",
    "policy",
    "positions",
    "reconciliation_gauges",
    "signatures",
]
