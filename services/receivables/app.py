"""Composition root of receivables."""

from functools import partial

from fleet.attestation_keys import keys_of
from fleet.shared_batches import UNHURRIED_S
from fleet.worker import Worker
from schemas.proved import PROVED
from services.receivables.desk.decisions import ACTIONS
from services.receivables.handlers import (
    allocate_named,
    charge_due,
    dun,
    end_flights,
    follow_book,
    measure_ageing,
    measure_waiting,
    review_limits,
    take_changed_holds,
    take_charge_answers,
    take_estimates,
    take_journals,
    take_refund_answers,
    take_refused_holds,
    take_settled_charges,
    take_stripe_events,
    tell_levels,
)
from services.receivables.settings import ReceivablesSettings

MEASURE_S = 15.0
END_EVERY_S = 1.0
CHARGE_EVERY_S = 2.0
TELL_EVERY_S = 1.0
DUN_EVERY_S = 60.0
REVIEW_EVERY_S = 5.0
MEASURE_AGEING_S = 300.0  # a second for a million open items
ANSWER_EVERY_S = 0.01
BATCH_MAX = 500
BILLINGS_TOPICS = ("school.configured", "flight.completed")
LEDGERS_TOPICS = ("journal.requested", "revert.requested", "group.requested", "hold.requested")
WEBHOOKS_EVERY_S = 0.2  # many to a commit: no person waits for one


def build(settings: ReceivablesSettings | None = None) -> Worker:
    """Wire a receivables worker; the caller runs it."""
    settings = settings or ReceivablesSettings()
    worker = Worker("receivables", settings, proved=PROVED)
    take = partial(
        take_stripe_events,
        worker.database,
        livemode=settings.stripe_livemode,
        keys=keys_of(settings.attestation_keys),
    )
    # Who the students are is billing's to say: after a restore its topics come first (docs/decisions/0201).
    worker.consume(
        "stripe.webhook", take, every_s=WEBHOOKS_EVERY_S, after_others={"billing": BILLINGS_TOPICS}
    )
    worker.consume("charge.settled", partial(take_settled_charges, worker.database))
    worker.consume("school.accepted", partial(follow_book, worker.database))
    worker.consume("charge.answered", partial(take_charge_answers, worker.database))
    worker.consume("refund.settled", partial(take_refund_answers, worker.database))
    # What is announced must be in the ledger: after a restore the ledger posts first (docs/decisions/0310).
    worker.consume(
        "journal.posted",
        partial(take_journals, worker.database),
        batch_max=BATCH_MAX,
        every_s=UNHURRIED_S,
        after=["school.accepted", "stripe.webhook"],
        after_others={"ledger": LEDGERS_TOPICS},
    )
    _dispatch(worker)
    worker.every("charge_due", CHARGE_EVERY_S, partial(charge_due, worker.database))
    worker.every("tell_levels", TELL_EVERY_S, partial(tell_levels, worker.database))
    worker.every("review_limits", REVIEW_EVERY_S, partial(review_limits, worker.database))
    worker.every("dun", DUN_EVERY_S, partial(dun, worker.database))
    worker.every("measure_waiting", MEASURE_S, partial(measure_waiting, worker.database))
    worker.every("measure_ageing", MEASURE_AGEING_S, partial(measure_ageing, worker.database))
    worker.every("allocate_named", MEASURE_S, partial(allocate_named, worker.database))
    worker.decide(ACTIONS)
    return worker


def _dispatch(worker: Worker) -> None:
    """Whether students may fly: somebody stands beside the aircraft and waits for the answer."""
    db = worker.database
    worker.consume(
        "flight.estimated", partial(take_estimates, db), every_s=ANSWER_EVERY_S, after=["school.accepted"]
    )
    worker.consume("hold.changed", partial(take_changed_holds, db), every_s=ANSWER_EVERY_S)
    worker.consume("hold.refused", partial(take_refused_holds, db), every_s=ANSWER_EVERY_S)
    worker.every("end_flights", END_EVERY_S, partial(end_flights, db))
