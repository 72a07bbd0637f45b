"""Every SQL statement of adjustments' worker, a file for each group of tables."""

from services.adjustments.store import (
    adjustments,
    approvals,
    flights,
    gauges,
    journals,
    makers,
    policy,
    recoveries,
    settlements,
    settlements_early,
    settlements_late,
    settlements_refunds,
    settlements_sent,
)

__all__ = [
    "adjustments",
    "approvals",
    "flights",
    "gauges",
    "journals",
    "makers",
    "policy",
    "recoveries",
    "settlements",
    "settlements_early",
    "settlements_late",
    "settlements_refunds",
    "settlements_sent",
]
