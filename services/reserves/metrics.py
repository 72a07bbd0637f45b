"""What reserves counts and shows."""

from fleet import metrics
from services.reserves.domain.breaks import Class
from services.reserves.domain.health import HEALTHS

BREAKS = metrics.gauge(
    "reserves_breaks_open",
    "What of the difference between Stripe and the books is open, by class",
    {"class": Class},
)
DRIFT_ABOVE_LIMIT = metrics.gauge(
    "reserves_drift_above_limit", "Currencies whose real breaks come to more than the policy allows"
)
OLDEST_BREAK = metrics.gauge(
    "reserves_oldest_break_seconds", "How long the oldest break is open that is no matter of timing"
)
COMPARISON_AGE = metrics.gauge(
    "reserves_comparison_age_seconds", "How long ago a business date was last compared with Stripe"
)
# Of the school's own currency; none is set while it keeps no reserve.
HEALTH = metrics.gauge(
    "reserves_health", "1 for how the reserve stands, 0 for the others", {"health": HEALTHS}
)
GATE_CLOSED = metrics.gauge("reserves_gate_closed", "1 while new transfers wait for the reserve")
FREE = metrics.gauge("reserves_free_minor_units", "What can be sent now, less what is under way")
ALERTS = metrics.gauge(
    "reserves_alerts_unacknowledged", "Alerts of the reserve that stand and nobody acknowledged"
)
OPENED = metrics.gauge("reserves_opened_minor_units", "By how much people have opened the gate now")
MINIMUM = metrics.gauge("reserves_minimum_minor_units", "What must stay at Stripe")
BALANCE_AGE = metrics.gauge(
    "reserves_balance_age_seconds", "How long ago the balance was read by which the reserve is judged"
)
HOURS_TO_SHORTFALL = metrics.gauge(
    "reserves_hours_to_shortfall", "After how many hours a transfer will wait for the reserve; 336: in none"
)
TOP_UP = metrics.gauge(
    "reserves_top_up_minor_units", "The least paid in now that lets every transfer of 14 days go when due"
)
FORECAST_ERROR = metrics.gauge(
    "reserves_forecast_error_minor_units",
    "By how much the last day that is over came out above its forecast",
    {"of": ("free", "sent", "payments")},
)
