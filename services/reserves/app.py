"""Composition root of reserves."""

from functools import partial

from fleet.settings import Settings
from fleet.worker import Worker
from services.reserves import handlers

JUDGE_S = 5.0


def build(settings: Settings | None = None) -> Worker:
    """Wire a reserves worker; the caller runs it."""
    worker = Worker("reserves", settings or Settings())
    _consume(worker)
    worker.every("judge", JUDGE_S, partial(handlers.judge, worker.database))
    worker.decide({})
    return worker


def _consume(worker: Worker) -> None:
    db = worker.database
    worker.consume("school.accepted", partial(handlers.follow_book, db))
    worker.consume("journal.posted", partial(handlers.take_posted, db), after=["school.accepted"])
    worker.consume("stripe.balance", partial(handlers.take_balance, db), after=["school.accepted"])
