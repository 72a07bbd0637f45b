"""Every SQL statement of reserves' worker, a file for each group of tables."""

from services.reserves.store import (
    alerts,
    breaks,
    days,
    forecasts,
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
    "alerts",
    "breaks",
    "days",
    "forecasts",
    "health",
    "lines",
    "matches",
    "openings",
    "policy",
    "positions",
    "reconciliation_gauges",
    "signatures",
]
