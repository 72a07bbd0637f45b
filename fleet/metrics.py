"""How a metric is declared, and the metrics that every worker has.

Prometheus's `increase()` compares two samples of a series. A series that is made by its first event is 1 in
its first sample, and that event is never seen. So a metric is declared with every value its labels can take,
and each combination is 0 when the process starts.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import product
from typing import Final

from prometheus_client import Counter, Gauge, Histogram

Labels = Mapping[str, Iterable[str]]

# For a label whose values nobody can list, such as Stripe's event types: its series come with their events,
# and the expression of an alert must not depend on them.
UNKNOWN: Final[tuple[str, ...]] = ()
NO_LABELS: Final[Labels] = {}
RECORD_OUTCOMES: Final = ("admitted", "duplicate", "dead")
# not_allowed: no login vouches for it, or who asks has none of the roles.
DECISION_OUTCOMES: Final = ("done", "refused", "previewed", "not_allowed")


def counter(name: str, documentation: str, labels: Labels = NO_LABELS) -> Counter:
    """Declare a counter; `labels` maps each label to all values it can take, or to UNKNOWN."""
    made = Counter(name, documentation, tuple(labels))
    start_at_zero(made, *labels.values())
    return made


def gauge(name: str, documentation: str, labels: Labels = NO_LABELS) -> Gauge:
    """Declare a gauge; labels as for a counter. It says 0 until it is first measured."""
    made = Gauge(name, documentation, tuple(labels))
    start_at_zero(made, *labels.values())
    return made


def histogram(
    name: str, documentation: str, labels: Labels = NO_LABELS, *, buckets: Sequence[float]
) -> Histogram:
    """Declare a histogram; labels as for a counter, `buckets` are upper bounds in the metric's unit."""
    made = Histogram(name, documentation, tuple(labels), buckets=buckets)
    start_at_zero(made, *labels.values())
    return made


def start_at_zero(metric: Counter | Gauge | Histogram, *values: Iterable[str]) -> None:
    """Make the series of each combination of label values, one iterable for each label in order."""
    for combination in product(*values) if values else ():
        metric.labels(*combination)


# A process learns its own service, topics and loops while it is put together: see the three functions below.
RECORDS = counter(
    "fleet_records_total", "Kafka records by outcome", {"service": UNKNOWN, "outcome": RECORD_OUTCOMES}
)
BATCH_SECONDS = histogram(
    "fleet_batch_seconds",
    "Time to process one Kafka batch, commit included",
    {"service": UNKNOWN, "topic": UNKNOWN},
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
BATCH_FAILURES = counter(
    "fleet_batch_failures_total",
    "Batches that raised and are read again",
    {"service": UNKNOWN, "topic": UNKNOWN},
)
ISOLATED = counter(
    "fleet_isolated_records_total",
    "Records no rule foresaw, each buried alone",
    {"service": UNKNOWN, "topic": UNKNOWN},
)
DECISIONS = counter(
    "fleet_decisions_total",
    "Decisions of people by what became of them",
    {"service": UNKNOWN, "action": UNKNOWN, "outcome": DECISION_OUTCOMES},
)
CONSUMER_LAG = gauge(
    "fleet_consumer_lag_records",
    "Records that may be read and are not; those of open transactions do not count",
    {"service": UNKNOWN, "topic": UNKNOWN},
)
UNREAD = gauge(
    "fleet_partitions_unread",
    "Partitions that cannot be read, and clients that cannot fetch",
    {"service": UNKNOWN, "topic": UNKNOWN},
)
FETCH_FAILURES = counter(
    "fleet_fetch_failures_total", "Fetches that raised", {"service": UNKNOWN, "topic": UNKNOWN}
)
POLL_AGE = gauge(
    "fleet_poll_age_seconds",
    "Seconds since a consumer last polled",
    {"service": UNKNOWN, "topic": UNKNOWN},
)
BATCH_AGE = gauge(
    "fleet_batch_age_seconds",
    "For how long the batch in hand has not been handled, re-reads included",
    {"service": UNKNOWN, "topic": UNKNOWN},
)
OLDEST_AGE = gauge(
    "fleet_oldest_record_age_seconds",
    "For how long the oldest record that may be read has not been handled, since this process saw it",
    {"service": UNKNOWN, "topic": UNKNOWN},
)
LOOP_FAILURES = counter(
    "fleet_loop_failures_total", "Runs of a loop or timer that raised", {"service": UNKNOWN, "loop": UNKNOWN}
)
OUTBOX_RELAYED = counter(
    "fleet_outbox_relayed_total", "Outbox rows acknowledged by Kafka", {"service": UNKNOWN}
)
OUTBOX_FAILURES = counter(
    "fleet_outbox_failures_total", "Times the outbox relay stopped", {"service": UNKNOWN}
)
OUTBOX_ROWS = gauge("fleet_outbox_rows", "Outbox rows waiting", {"service": UNKNOWN})
OUTBOX_AGE = gauge("fleet_outbox_age_seconds", "Age of the oldest waiting outbox row", {"service": UNKNOWN})
LOCK_WAIT = gauge(
    "fleet_lock_wait_seconds", "How long the longest wait for a lock lasts now", {"service": UNKNOWN}
)
INVARIANTS_BROKEN = gauge(
    "fleet_invariants_broken",
    "Rows that broke an invariant when the service last asked it",
    {"service": UNKNOWN, "invariant": UNKNOWN},
)
CHECK_AGE = gauge(
    "fleet_check_age_seconds",
    "Seconds since the service asked each of its invariants",
    {"service": UNKNOWN},
)
DEAD_LETTERS = gauge("fleet_dead_letters_open", "Open dead letters", {"service": UNKNOWN})
SERVICE_ENDS = counter(
    "fleet_service_ends_total",
    "Times a service ended by itself in a process that goes on and starts it again",
    {"service": UNKNOWN},
)
_OF_TABLES = (OUTBOX_ROWS, OUTBOX_AGE, LOCK_WAIT, DEAD_LETTERS, CHECK_AGE)
_OF_CONSUMERS = (CONSUMER_LAG, UNREAD, POLL_AGE, BATCH_AGE, OLDEST_AGE)


def start_service(service: str) -> None:
    """Start at 0 what every process of a service measures."""
    start_at_zero(RECORDS, [service], RECORD_OUTCOMES)
    for metric in (OUTBOX_RELAYED, OUTBOX_FAILURES, SERVICE_ENDS, *_OF_TABLES):
        start_at_zero(metric, [service])


def end_service(service: str) -> None:
    """Show none of its gauges while nobody measures them: a service that is down is absent."""
    for gauge in (*_OF_TABLES, *_OF_CONSUMERS, INVARIANTS_BROKEN):
        gauge.remove_by_labels({"service": service})


def start_topic(service: str, topic: str) -> None:
    """Start at 0 what is measured for a topic that the service consumes."""
    for metric in (BATCH_SECONDS, BATCH_FAILURES, ISOLATED, FETCH_FAILURES, *_OF_CONSUMERS):
        start_at_zero(metric, [service], [topic])


def start_decisions(service: str, actions: Iterable[str]) -> None:
    """Start at 0 what is counted of the decisions that a service takes."""
    start_at_zero(DECISIONS, [service], actions, DECISION_OUTCOMES)


def start_loop(service: str, loop: str) -> None:
    """Start at 0 what is measured for a loop or timer of the service."""
    start_at_zero(LOOP_FAILURES, [service], [loop])


def start_invariants(service: str, names: Iterable[str]) -> None:
    """Start at 0 what is shown of a service's invariants."""
    start_at_zero(INVARIANTS_BROKEN, [service], names)
