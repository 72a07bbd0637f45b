"""Puts the payouts service together: settings, Stripe, consumers, relay and companions, timers, health."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from fleet import timers
from fleet.database import Database
from fleet.envelope import Record
from fleet.shared_batches import Handler
from fleet.worker import Worker
from services.payouts import handlers, store
from services.payouts.handlers import Clock, utc_now
from services.payouts.settings import PayoutsSettings
from services.payouts.steps import gauges, payments
from services.payouts.stripe import links
from services.payouts.stripe.client import StripeGateway
from services.payouts.stripe.effects import Terms
from services.payouts.stripe.missed_events import Patience, Recovery
from services.payouts.stripe.pacer import Limiter
from services.payouts.stripe.relay import Pace, Relay
from services.payouts.stripe.rereads import Inquirer, Rechecks
from services.payouts.stripe.treasury import Treasury

MEASURE_S = 10.0
WEBHOOKS_EVERY_S = 0.2  # many to a commit: no payment waits for one
LEASE_MARGIN_S = 1.0


def build(settings: PayoutsSettings | None = None) -> Worker:
    """Assemble the worker; `run` it."""
    settings = settings or PayoutsSettings()
    worker = Worker("payouts", settings)
    db, terms = worker.database, _terms(settings)
    gateway = StripeGateway(
        settings.stripe_secret_key.get_secret_value(),
        api_base=settings.stripe_api_base,
        timeout_s=settings.stripe_timeout_s,
        connections=settings.stripe_concurrency + 16,
    )
    calls = Limiter(settings.stripe_calls_per_s)
    reads = Limiter(settings.stripe_reads_per_s, within=calls)
    relay = _relay(settings, db, gateway, calls, terms)
    treasury = Treasury(db, gateway, reads, utc_now, timedelta(seconds=settings.balance_poll_s))
    lease = timedelta(seconds=settings.inquiry_lease_s)
    inquirer = Inquirer(db, gateway, reads, utc_now, _rechecks(settings), lease=lease)
    recovery = Recovery(db, gateway, reads, utc_now, _patience(settings))

    heed = partial(handlers.heed_stripe, db, terms=terms, money_came=treasury.money_came)
    worker.consume("journal.posted", _waking(relay, partial(handlers.owe_payees, db)))
    worker.consume("school.configured", _waking(relay, partial(handlers.configure_payees, db)))
    worker.consume("stripe.webhook", _waking(relay, heed), every_s=WEBHOOKS_EVERY_S)
    worker.loop("relay", relay.step, idle_s=0)
    worker.loop("inquiries", inquirer.step, idle_s=0.25)
    worker.loop("treasury", treasury.step, idle_s=0.1)
    worker.loop("holds", partial(end_holds, db), idle_s=1.0)
    worker.loop("links", partial(links.answer_links, db, gateway, settings, utc_now), idle_s=1.0)
    worker.loop("periods", partial(close_periods, db, settings), idle_s=5.0)
    worker.every("recover_events", settings.events_poll_s, recovery.run)
    worker.loop("measure", partial(gauges.measure, db), idle_s=MEASURE_S)
    worker.decide({})
    worker.ready_checks["stripe"] = relay.check
    worker.on_stop(relay.drain)
    worker.on_stop(gateway.close)
    return worker


def _waking(relay: Relay, handle: Handler) -> Handler:
    """Have the relay look as soon as a batch is committed; it may have decided something."""

    async def handle_and_wake(batch: Sequence[Record]) -> None:
        await handle(batch)
        relay.wake()

    return handle_and_wake


def _terms(settings: PayoutsSettings) -> Terms:
    return Terms(
        instant_fee_basis_points=settings.instant_fee_basis_points,
        instant_fee_minimum=settings.instant_fee_minimum,
        unsettled_recheck=timedelta(seconds=settings.unsettled_recheck_s),
    )


def _rechecks(settings: PayoutsSettings) -> Rechecks:
    return Rechecks(
        unready=timedelta(seconds=settings.unready_recheck_s),
        unsettled=timedelta(seconds=settings.unsettled_recheck_s),
        ready=timedelta(seconds=settings.ready_recheck_s),
    )


def _patience(settings: PayoutsSettings) -> Patience:
    return Patience(
        overlap=timedelta(seconds=settings.events_overlap_s), grace=timedelta(seconds=settings.events_grace_s)
    )


def _relay(
    settings: PayoutsSettings, db: Database, gateway: StripeGateway, limiter: Limiter, terms: Terms
) -> Relay:
    pace = Pace(
        concurrency=settings.stripe_concurrency,
        lease=timedelta(seconds=settings.lease_s),
        call_time=timedelta(seconds=settings.stripe_timeout_s + LEASE_MARGIN_S),
    )
    return Relay(db, gateway, limiter, utc_now, policy=settings.policy, pace=pace, terms=terms)


async def end_holds(db: Database, *, clock: Clock = utc_now) -> int:
    """Pay what was held for a time that is over."""
    now = clock()
    async with db.transaction() as tx:
        wallets = await store.transfers.wallets_due(tx, now)
        if wallets:
            await payments.pay(tx, wallets, now)
    return 0


async def close_periods(db: Database, settings: PayoutsSettings) -> int:
    """Once for each business date of the school: put cards in force, then pay by the day and by the week."""
    async with db.transaction() as tx:
        zone = ZoneInfo(await store.payees.time_zone(tx))
    name = "close_period"
    await timers.declare(db, name)
    today = timers.business_date(datetime.now(zone), zone, settings.period_closes_at)
    await timers.run_missed_dates(db, name, today, partial(close_date, db), lease_s=settings.timer_lease_s)
    return 0


async def close_date(db: Database, business_date: date) -> None:
    """Close one business date: what payees on a schedule earned becomes one transfer each.

    Weeks end on Sunday night.
    """
    now = utc_now()
    async with db.transaction() as tx:
        wallets = await store.payees.with_later_cards(tx, business_date)
        await store.payees.put_in_force(tx, wallets, business_date, now)
    async with db.transaction() as tx:
        await payments.close_period(tx, "daily", f"daily:{business_date}", now)
        if business_date.isoweekday() == 1:
            await payments.close_period(tx, "weekly", f"weekly:{business_date}", now)
