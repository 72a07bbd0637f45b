"""Prometheus metrics of the payouts service."""

from prometheus_client import Counter, Gauge, Histogram

CALLS = Counter(
    "payouts_stripe_calls_total", "Calls to Stripe by kind and what the answer proved", ["kind", "verdict"]
)
CALL_SECONDS = Histogram(
    "payouts_stripe_call_seconds",
    "Time from request to answer at Stripe",
    ["kind"],
    buckets=(0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1, 2.5, 5, 10, 20),
)
IN_FLIGHT = Gauge("payouts_operations_in_flight", "Operations this process has claimed")
LIMITER_RATE = Gauge("payouts_stripe_rate_per_second", "Calls per second the limiter allows now")
LEASES_LOST = Counter("payouts_leases_lost_total", "Answers dropped because another relay owns the operation")
STOPPED = Gauge("payouts_relay_stopped", "1 while Stripe refuses our key and nothing may be sent")
STATES = Gauge("payouts_transfers", "Transfers by state", ["state"])
HELD = Gauge("payouts_transfers_held", "Held transfers by reason", ["reason"])
OPERATIONS = Gauge("payouts_operations", "Operations by kind and state", ["kind", "state"])
OLDEST_DUE = Gauge("payouts_oldest_due_operation_age_seconds", "How long the oldest due operation has waited")
WEBHOOKS = Counter(
    "payouts_webhooks_total", "Webhooks by type; known: whether a rule acts on it", ["type", "known"]
)
WEBHOOK_SECONDS = Histogram(
    "payouts_webhook_seconds",
    "From the gateway's receipt of a webhook to its effect here",
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300),
)
INVARIANT_BREACHES = Counter(
    "payouts_invariant_breaches_total", "Things Stripe showed that must never happen", ["what"]
)
EVENTS_RECOVERED = Counter(
    "payouts_events_recovered_total", "Events published because Stripe did not deliver them in time"
)
LISTING_AGE = Gauge(
    "payouts_event_listing_age_seconds", "How long ago Stripe's events were last listed to the end"
)
