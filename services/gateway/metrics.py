"""What the gateway counts. Labels are few and closed: nothing a stranger sends becomes a label."""

from typing import Final, get_args

from fleet import metrics
from services.gateway.domain.credit import Reason
from services.gateway.domain.sightings import OTHER_MODES, Reading
from services.gateway.http.problems import STATUSES as PROBLEM_STATUSES
from services.gateway.wire import Endpoint

ROUTES: Final = (
    "/webhooks/stripe",
    "/webhooks/stripe/connect",
    "/v1/flights",
    "/v1/flights/corrections",
    "/v1/flights/cancellations",
    "/v1/flights/dispatches",
    "/v1/credit-checks",
    "/openapi.json",
    "/docs",
    "none",  # an address that is not there, or nobody looked because too many requests were under way
)
STATUSES: Final = sorted({"200", "202", *(str(status.value) for status in PROBLEM_STATUSES.values())})
WEBHOOK_OUTCOMES: Final = (
    "published",
    "error",
    "bad_signature",
    "event_refused",
    "future",
    "malformed_body",
    "malformed_signature",
    "missing_signature",
    "stale",
    "test_mode",
    "too_large",
    "too_slow",
    "try_again",
    "wrong_endpoint",
    "wrong_mode",
)

WEBHOOK_SECONDS: Final = metrics.histogram(
    "gateway_webhook_seconds",
    "From the request's first byte of body to the answer; Stripe gives up after some seconds.",
    {"endpoint": get_args(Endpoint), "outcome": WEBHOOK_OUTCOMES},
    buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
)
WEBHOOK_AGE_SECONDS: Final = metrics.histogram(
    "gateway_webhook_age_seconds",
    "How old Stripe's event was when it was published; high when Stripe had to retry.",
    {"endpoint": get_args(Endpoint)},
    buckets=(1, 2, 5, 10, 30, 60, 300, 3600, 21_600, 86_400, 259_200),
)
WEBHOOK_READINGS: Final = metrics.counter(
    "gateway_webhook_readings_total",
    "Events published, by payload and by API version beside the pinned one.",
    {"endpoint": get_args(Endpoint), "reading": tuple(Reading)},
)
WEBHOOK_OTHER_MODE: Final = metrics.counter(
    "gateway_webhook_other_mode_total",
    "Events of the mode that this deployment is not of; those at a live Connect endpoint are expected.",
    {"what": OTHER_MODES},
)
FLIGHTS: Final = metrics.counter(
    "gateway_flights_total",
    "Flights, corrections and cancellations received over HTTP.",
    {
        "topic": ("flight.completed", "flight.corrected", "flight.cancelled", "flight.dispatched"),
        "outcome": ("accepted", "repeated"),
    },
)
CREDIT_CHECKS: Final = metrics.counter(
    "gateway_credit_checks_total",
    "Credit checks answered over HTTP, by what spoke against the charge.",
    {"answer": ("allowed", "not_priced", *get_args(Reason))},
)
RESPONSES: Final = metrics.counter(
    "gateway_responses_total", "HTTP responses, by route and status.", {"route": ROUTES, "status": STATUSES}
)
