"""Billing's composition root."""

from functools import partial

from fleet.decisions import REQUESTED
from fleet.worker import Worker
from schemas.proved import PROVED
from services.billing.desk import decisions
from services.billing.handlers import (
    apply_waiting,
    bill_flights,
    cancel_flights,
    configure_school,
    correct_flights,
    estimate_flights,
)
from services.billing.settings import BillingSettings

WAITING_EVERY_S = 1.0
ESTIMATE_EVERY_S = 0.01  # somebody stands beside the aircraft and waits for the answer
BOOK_FIRST = ("school.configured", REQUESTED)  # people decide on the book


def build(settings: BillingSettings | None = None) -> Worker:
    """Wire a billing worker; the caller runs it."""
    worker = Worker("billing", settings or BillingSettings(), proved=PROVED)
    worker.consume("school.configured", partial(configure_school, worker.database))
    worker.consume("flight.completed", partial(bill_flights, worker.database), after=BOOK_FIRST)
    worker.consume("flight.corrected", partial(correct_flights, worker.database), after=BOOK_FIRST)
    worker.consume("flight.cancelled", partial(cancel_flights, worker.database), after=BOOK_FIRST)
    worker.consume(
        "flight.dispatched",
        partial(estimate_flights, worker.database),
        after=BOOK_FIRST,
        every_s=ESTIMATE_EVERY_S,
    )
    worker.every("apply_waiting", WAITING_EVERY_S, partial(apply_waiting, worker.database))
    worker.decide(decisions.ACTIONS)
    return worker
