"""Composition root of receivables."""

from functools import partial

from fleet.worker import Worker
from services.receivables.desk.decisions import ACTIONS
from services.receivables.handlers import (
    allocate_named,
    follow_book,
    measure_waiting,
    take_settled_charges,
    take_stripe_events,
)
from services.receivables.settings import ReceivablesSettings

MEASURE_S = 15.0
BILLINGS_TOPICS = ("school.configured", "flight.completed")
WEBHOOKS_EVERY_S = 0.2  # many to a commit: no person waits for one


def build(settings: ReceivablesSettings | None = None) -> Worker:
    """Wire a receivables worker; the caller runs it."""
    settings = settings or ReceivablesSettings()
    worker = Worker("receivables", settings)
    take = partial(take_stripe_events, worker.database, livemode=settings.stripe_livemode)
    # Who the students are is billing's to say: after a restore its topics come first (docs/decisions/0201).
    worker.consume(
        "stripe.webhook", take, every_s=WEBHOOKS_EVERY_S, after_others={"billing": BILLINGS_TOPICS}
    )
    worker.consume("charge.settled", partial(take_settled_charges, worker.database))
    worker.consume("school.accepted", partial(follow_book, worker.database))
    worker.every("measure_waiting", MEASURE_S, partial(measure_waiting, worker.database))
    worker.every("allocate_named", MEASURE_S, partial(allocate_named, worker.database))
    worker.decide(ACTIONS)
    return worker
