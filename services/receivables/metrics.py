"""What receivables counts. Event types are Stripe's and verified, so their number is bounded."""

from typing import Final, get_args

from fleet import metrics
from services.receivables.domain.postings import EventType
from services.receivables.wire.stripe_objects import Kind

WEBHOOKS: Final = metrics.counter(
    "receivables_webhooks_total",
    "Stripe webhooks read, by kind.",
    {"kind": Kind, "event_type": metrics.UNKNOWN},
)
JOURNALS: Final = metrics.counter(
    "receivables_journals_requested_total",
    "Journals asked of the ledger.",
    {"event_type": get_args(EventType)},
)
STUDENT_CLASHES: Final = metrics.counter(
    "receivables_student_clashes_total", "Facts that name another student than the payment's."
)
WAITING: Final = metrics.gauge(
    "receivables_waiting",
    "Charges without their payment, charges with unexplained refunds, payments without a student.",
    {"what": ("payment", "student", "refund")},
)
WAITING_AGE: Final = metrics.gauge(
    "receivables_waiting_age_seconds", "Age of the oldest that waits.", {"what": ("payment", "student")}
)
