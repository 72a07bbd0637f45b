"""Billing's composition root."""

from functools import partial

from fleet.worker import Worker
from services.billing.handlers import bill_flights, configure_school
from services.billing.settings import BillingSettings


def build(settings: BillingSettings | None = None) -> Worker:
    """Wire a billing worker; the caller runs it."""
    worker = Worker("billing", settings or BillingSettings())
    worker.consume("school.configured", partial(configure_school, worker.database))
    worker.consume("flight.completed", partial(bill_flights, worker.database), after=["school.configured"])
    worker.decide({})
    return worker
