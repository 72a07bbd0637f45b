"""Composition root of reserves."""

from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from typing import Protocol

from fleet import timers
from fleet.database import Database
from fleet.shared_batches import UNHURRIED_S
from fleet.worker import Worker
from fleet.zones import time_zone
from schemas.proved import PROVED
from services.reserves import handlers, metrics, steps, store
from services.reserves.desk import decisions, reads
from services.reserves.desk.reads.forecast import WhatIf
from services.reserves.domain import forecast
from services.reserves.settings import ReservesSettings

BATCH_MAX = 500
DAYS_IDLE_S = 30.0
JUDGE_S = 5.0
MEASURE_S = 15.0
LOOK_AHEAD_S = 300.0


class _DateJob(Protocol):
    """What is done once for each business date."""

    async def __call__(self, db: Database, day: date, *, now: datetime) -> None: ...


def build(settings: ReservesSettings | None = None) -> Worker:
    """Wire a reserves worker; the caller runs it."""
    settings = settings or ReservesSettings()
    worker = Worker("reserves", settings, proved=PROVED)
    _reconcile(worker, settings)
    _judge(worker)
    worker.decide(decisions.ACTIONS)
    return worker


def _reconcile(worker: Worker, settings: ReservesSettings) -> None:
    """The comparison with Stripe: both sides, what belongs together, each business date."""
    db = worker.database
    worker.consume("school.accepted", partial(handlers.follow_book, db))
    worker.consume(
        "journal.posted",
        partial(handlers.take_journals, db),
        batch_max=BATCH_MAX,
        every_s=UNHURRIED_S,
        after=["school.accepted"],
    )
    worker.consume("journal.refused", partial(handlers.take_refused, db), after=["journal.posted"])
    worker.consume(
        "transfer.sent", partial(handlers.take_transfers, db), batch_max=BATCH_MAX, every_s=UNHURRIED_S
    )
    worker.consume("refund.settled", partial(handlers.take_refunds, db))
    worker.consume(
        "stripe.transaction",
        partial(handlers.take_transactions, db),
        batch_max=BATCH_MAX,
        every_s=UNHURRIED_S,
        after=["school.accepted"],
    )
    worker.every("match", settings.match_every_s, partial(handlers.match, db))
    worker.every("measure_reconciliation", MEASURE_S, partial(handlers.measure_reconciliation, db))
    worker.loop("days", partial(reconcile_days, db, settings), idle_s=DAYS_IDLE_S)
    worker.loop("flights", partial(match_flights, db, settings), idle_s=DAYS_IDLE_S)


def _judge(worker: Worker) -> None:
    """How the reserve stands, and how much payouts may let out."""
    db = worker.database
    worker.consume("stripe.balance", partial(handlers.take_balance, db), after=["school.accepted"])
    worker.every("judge", JUDGE_S, partial(handlers.judge, db))
    worker.every("measure_reserve", MEASURE_S, partial(handlers.measure_reserve, db))
    worker.every("look_ahead", LOOK_AHEAD_S, partial(look_ahead, db))


async def reconcile_days(db: Database, settings: ReservesSettings) -> int:
    """Compare each business date that has ended, once; a date is as the school's calendar has it."""
    return await _each_date(db, settings, "reconcile", steps.reconciliation.reconcile)


async def match_flights(db: Database, settings: ReservesSettings) -> int:
    """Compare the flights of the last weeks three ways, once for each business date that has ended."""
    return await _each_date(db, settings, "match_flights", steps.mismatches.match_flights)


async def _each_date(db: Database, settings: ReservesSettings, name: str, job: _DateJob) -> int:
    async with db.transaction() as tx:
        here = time_zone(await store.days.time_zone(tx))
    await timers.declare(db, name)
    ended = timers.business_date(datetime.now(here), here, settings.reconciles_at) - timedelta(days=1)
    run = partial(job, db, now=datetime.now(UTC))
    await timers.run_missed_dates(db, name, ended, run, lease_s=settings.timer_lease_s)
    return 0


async def look_ahead(db: Database, *, clock: handlers.Clock = handlers.utc_now) -> None:
    """Set the gauges of what will be short; keep the day's first forecast, and what came of those before."""
    now = clock()
    async with db.transaction() as tx:
        await store.forecasts.compare(tx, now)
        looked = await reads.forecast.look_ahead(tx, now, WhatIf())
        if looked is not None:
            today = now.astimezone(looked.zone).date()
            midnight = datetime.combine(today + timedelta(days=1), time(), looked.zone)
            foreseen = forecast.of_day(looked.ahead, looked.usual, looked.currency, today, midnight)
            await store.forecasts.keep(tx, foreseen)
        missed = None if looked is None else await store.forecasts.last_missed(tx, looked.currency)
    metrics.HOURS_TO_SHORTFALL.set(forecast.HOURS if looked is None else looked.ahead.hours_to_shortfall)
    metrics.TOP_UP.set(0 if looked is None else looked.ahead.top_up)
    for name in ("free", "sent", "payments"):
        metrics.FORECAST_ERROR.labels(name).set((missed and getattr(missed, name)) or 0)
