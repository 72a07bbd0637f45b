"""Prometheus metrics every worker has. A service declares its own beside the code that moves them."""

from prometheus_client import Counter, Gauge, Histogram

RECORDS = Counter("fleet_records_total", "Kafka records by outcome", ["service", "outcome"])
BATCH_SECONDS = Histogram(
    "fleet_batch_seconds",
    "Time to process one Kafka batch, commit included",
    ["service", "topic"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
BATCH_FAILURES = Counter(
    "fleet_batch_failures_total", "Batches that raised and are read again", ["service", "topic"]
)
CONSUMER_LAG = Gauge("fleet_consumer_lag_records", "Records behind the high watermark", ["service", "topic"])
POLL_AGE = Gauge("fleet_poll_age_seconds", "Seconds since a consumer last polled", ["service", "topic"])
LOOP_FAILURES = Counter(
    "fleet_loop_failures_total", "Runs of a loop or timer that raised", ["service", "loop"]
)
OUTBOX_RELAYED = Counter("fleet_outbox_relayed_total", "Outbox rows acknowledged by Kafka", ["service"])
OUTBOX_FAILURES = Counter("fleet_outbox_failures_total", "Times the outbox relay stopped", ["service"])
OUTBOX_ROWS = Gauge("fleet_outbox_rows", "Outbox rows waiting", ["service"])
OUTBOX_AGE = Gauge("fleet_outbox_age_seconds", "Age of the oldest waiting outbox row", ["service"])
DEAD_LETTERS = Gauge("fleet_dead_letters_open", "Open dead letters", ["service"])
