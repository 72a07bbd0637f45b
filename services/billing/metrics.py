"""What billing counts."""

from prometheus_client import Counter, Histogram

BILLS = Counter("billing_bills_total", "Flights billed", ["hours_from"])
REFUSALS = Counter("billing_refusals_total", "Flights refused", ["reason"])
REPEATS = Counter("billing_repeats_total", "Flights received again with the same content")
FLAGS = Counter("billing_flags_total", "Flags put on bills", ["kind"])
VERSIONS = Counter("billing_school_versions_total", "Versions of the school's book", ["outcome"])
BATCH_SECONDS = Histogram(
    "billing_batch_seconds",
    "Time to bill one batch of flights, commit included",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
