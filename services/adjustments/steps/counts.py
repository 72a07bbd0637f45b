"""Counts what people decide; a preview decides nothing."""

from fleet.decisions import Decision
from services.adjustments import metrics


def decided(decision: Decision) -> None:
    """Count a decision that is about to be kept."""
    if not decision.dry_run:
        metrics.DECIDED.labels(decision.action).inc()
