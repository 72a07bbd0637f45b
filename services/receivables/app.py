"""Composition root of receivables."""

from functools import partial

from fleet.worker import Worker
from services.receivables.handlers import measure_waiting, take_settled_charges, take_stripe_events
from services.receivables.settings import ReceivablesSettings

MEASURE_S = 15.0


def build(settings: ReceivablesSettings | None = None) -> Worker:
    """Wire a receivables worker; the caller runs it."""
    worker = Worker("receivables", settings or ReceivablesSettings())
    worker.consume("stripe.webhook", partial(take_stripe_events, worker.database))
    worker.consume("charge.settled", partial(take_settled_charges, worker.database))
    worker.every("measure_waiting", MEASURE_S, partial(measure_waiting, worker.database))
    return worker
