"""What receivables counts. Event types are Stripe's and verified, so their number is bounded."""

from typing import Final

from prometheus_client import Counter, Gauge

WEBHOOKS: Final = Counter(
    "receivables_webhooks_total", "Stripe webhooks read, by kind.", ["kind", "event_type"]
)
JOURNALS: Final = Counter(
    "receivables_journals_requested_total", "Journals asked of the ledger.", ["event_type"]
)
STUDENT_CLASHES: Final = Counter(
    "receivables_student_clashes_total", "Facts that name another student than the payment's."
)
WAITING: Final = Gauge(
    "receivables_waiting", "Charges without payment or refund told, payments without a student.", ["what"]
)
WAITING_AGE: Final = Gauge("receivables_waiting_age_seconds", "Age of the oldest that waits.", ["what"])
