"""Composition root of adjustments."""

from functools import partial

from fleet.shared_batches import UNHURRIED_S
from fleet.worker import Worker
from schemas.proved import PROVED
from services.adjustments import handlers
from services.adjustments.desk import decisions, manual, settlements
from services.adjustments.settings import AdjustmentsSettings

MEASURE_S = 15.0
EXPIRE_S = 60.0
REMIND_S = 60.0
HEAR_S = 5.0
BATCH_MAX = 500


def build(settings: AdjustmentsSettings | None = None) -> Worker:
    """Wire an adjustments worker; the caller runs it."""
    worker = Worker("adjustments", settings or AdjustmentsSettings(), proved=PROVED)
    _consume(worker)
    worker.every("expire", EXPIRE_S, partial(handlers.expire, worker.database))
    worker.every("measure", MEASURE_S, partial(handlers.measure, worker.database))
    worker.every("hear_early", HEAR_S, partial(handlers.hear_early, worker.database))
    worker.every("remind", REMIND_S, partial(handlers.remind_of_settlements, worker.database))
    worker.every("measure_settlements", MEASURE_S, partial(handlers.measure_settlements, worker.database))
    worker.decide({**decisions.ACTIONS, **manual.ACTIONS, **settlements.ACTIONS})
    return worker


def _consume(worker: Worker) -> None:
    db = worker.database
    worker.consume("school.accepted", partial(handlers.follow_book, db))
    # What the ledger posted comes first: after a restore it says what stands (docs/decisions/0207).
    worker.consume(
        "journal.posted", partial(handlers.take_posted, db), batch_max=BATCH_MAX, every_s=UNHURRIED_S
    )
    worker.consume("journal.refused", partial(handlers.take_refused, db), after=["journal.posted"])
    worker.consume(
        "flight.revised",
        partial(handlers.propose_revisions, db),
        batch_max=BATCH_MAX,
        after=["school.accepted", "journal.posted"],
    )
    worker.consume(
        "transfer.sent",
        partial(handlers.take_transfer_sent, db),
        every_s=UNHURRIED_S,
        after=["journal.posted"],
    )
    worker.consume("refund.settled", partial(handlers.take_refund_settled, db), after=["journal.posted"])
    worker.consume("reversal.settled", partial(handlers.take_reversal_settled, db), after=["journal.posted"])
