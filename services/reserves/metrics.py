"""What reserves counts and shows."""

from fleet import metrics
from services.reserves.domain.health import HEALTHS

# Of the school's own currency; none is set while it keeps no reserve.
HEALTH = metrics.gauge(
    "reserves_health", "1 for how the reserve stands, 0 for the others", {"health": HEALTHS}
)
GATE_CLOSED = metrics.gauge("reserves_gate_closed", "1 while new transfers wait for the reserve")
FREE = metrics.gauge("reserves_free_minor_units", "What can be sent now, less what is under way")
MINIMUM = metrics.gauge("reserves_minimum_minor_units", "What must stay at Stripe")
BALANCE_AGE = metrics.gauge(
    "reserves_balance_age_seconds", "How long ago the balance was read by which the reserve is judged"
)
