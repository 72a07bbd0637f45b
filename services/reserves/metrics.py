"""What reserves counts and shows."""

from fleet import metrics
from services.reserves.domain.breaks import Class

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
