"""What adjustments counts and shows."""

from fleet import metrics
from services.adjustments.domain.adjustments import State
from services.adjustments.domain.settlements import AT_STRIPE, BY_JOURNAL, BY_TRANSFER
from services.adjustments.domain.settlements_late import Lateness

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
    {"action": ("approve", "reject", "settle", "claw_back")},
)
CLAWBACK_CLOSING = metrics.gauge(
    "adjustments_clawback_closing",
    "Adjustments that wait while what they take back can be taken back for 12 hours more at most.",
)
WAITING_METHODS = sorted(BY_JOURNAL | BY_TRANSFER | AT_STRIPE)
SETTLEMENTS = metrics.gauge(
    "adjustments_settlements_open",
    "Settlements that wait for a transfer, for the ledger or for payouts, by method",
    {"method": WAITING_METHODS},
)
LATE = metrics.gauge(
    "adjustments_settlements_late",
    "Settlements that wait too long, and debts that can be taken back for 12 hours more at most",
    {"what": Lateness},
)
