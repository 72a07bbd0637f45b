"""What billing counts."""

from typing import get_args

from fleet import metrics
from services.billing.domain.bills import FlagKind, HoursSource, Reason, RevisionKind
from services.billing.domain.versions import ChangeReason

BILLS = metrics.counter("billing_bills_total", "Flights billed", {"hours_from": get_args(HoursSource)})
REFUSALS = metrics.counter("billing_refusals_total", "Flights refused", {"reason": get_args(Reason)})
REPEATS = metrics.counter("billing_repeats_total", "Flights received again with the same content")
REVISIONS = metrics.counter(
    "billing_revisions_total", "Corrections and cancellations applied", {"kind": get_args(RevisionKind)}
)
REVISIONS_WAITING = metrics.gauge(
    "billing_revisions_waiting",
    "Corrections and cancellations that came before their flight, or before the revision ahead of them",
)
REVISION_WAITING_AGE = metrics.gauge(
    "billing_revision_waiting_age_seconds", "Age of the oldest revision that waits"
)
FLAGS = metrics.counter("billing_flags_total", "Flags put on bills", {"kind": get_args(FlagKind)})
VERSIONS = metrics.counter(
    "billing_school_versions_total",
    "Versions of the school's book",
    {"outcome": ("applied", *get_args(ChangeReason))},
)
BATCH_SECONDS = metrics.histogram(
    "billing_batch_seconds",
    "Time to bill one batch of flights, commit included",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
REVISION_BATCH_SECONDS = metrics.histogram(
    "billing_revision_batch_seconds",
    "Time to apply one batch of corrections or cancellations, commit included",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
