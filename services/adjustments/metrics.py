"""What adjustments counts and shows."""

from fleet import metrics
from services.adjustments.domain.adjustments import State

OPEN = (State.PROPOSED, State.WAITING, State.APPROVED, State.POSTED, State.SETTLING, State.FAILED)

PROPOSED = metrics.counter(
    "adjustments_proposed_total", "Revisions of flights, by what became of each at first.", {"state": State}
)
IN_STATE = metrics.gauge("adjustments_open", "Adjustments that still go on, by state.", {"state": OPEN})
OLDEST = metrics.gauge(
    "adjustments_oldest_seconds", "How long the oldest adjustment has been in a state.", {"state": OPEN}
)
DECIDED = metrics.counter(
    "adjustments_decisions_total",
    "Decisions that people took about adjustments.",
    {"action": ("approve", "reject")},
)
CLAWBACK_CLOSING = metrics.gauge(
    "adjustments_clawback_closing",
    "Adjustments that wait while what they take back can be taken back for 12 hours more at most.",
)
