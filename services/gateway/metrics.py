"""What the gateway counts. Labels are few and closed: nothing a stranger sends becomes a label."""

from typing import Final

from prometheus_client import Counter, Histogram

WEBHOOK_SECONDS: Final = Histogram(
    "gateway_webhook_seconds",
    "From the request's first byte of body to the answer; Stripe gives up after some seconds.",
    ["endpoint", "outcome"],
    buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
)
WEBHOOK_AGE_SECONDS: Final = Histogram(
    "gateway_webhook_age_seconds",
    "How old Stripe's event was when it was published; high when Stripe had to retry.",
    ["endpoint"],
    buckets=(1, 2, 5, 10, 30, 60, 300, 3600, 21_600, 86_400, 259_200),
)
FLIGHTS: Final = Counter(
    "gateway_flights_total", "Flights and corrections received over HTTP.", ["topic", "outcome"]
)
RESPONSES: Final = Counter(
    "gateway_responses_total", "HTTP responses, by route and status.", ["route", "status"]
)
