"""Composition root of the ledger's worker."""

from functools import partial

from fleet.settings import Settings
from fleet.worker import Worker
from services.ledger.handlers import post_journals
from services.ledger.wire import REQUESTED

BATCH_MAX = 500


def build(settings: Settings | None = None) -> Worker:
    """Make the worker: `journal.requested` in, `journal.posted` and `journal.refused` out."""
    worker = Worker("ledger", settings or Settings())
    worker.consume(REQUESTED, partial(post_journals, worker.database), batch_max=BATCH_MAX)
    return worker
