"""The part of payouts that decides who is paid what, and knows no Stripe: of the service, and of a shadow.

A shadow's payees have no account at Stripe and none is asked for: so each transfer ends as it was decided,
held, and no operation is written that anybody could send.
"""

from collections.abc import Callable
from datetime import date, datetime, time
from functools import partial

from fleet import timers
from fleet.database import Database
from fleet.shared_batches import Handler
from fleet.worker import Worker
from fleet.zones import time_zone
from services.payouts import handlers, store
from services.payouts.domain.accounts import AccountPolicy
from services.payouts.handlers import Clock, utc_now
from services.payouts.settings import ShadowSettings
from services.payouts.steps import payments

LEDGERS_TOPICS = ("journal.requested", "revert.requested", "group.requested", "hold.requested")


def build(settings: ShadowSettings | None = None) -> Worker:
    """Assemble a shadow's payouts: what is owed and what would be paid, and nobody who pays it."""
    settings = settings or ShadowSettings()
    worker = Worker("payouts", settings)
    db = worker.database
    consume(worker, accounts=None)
    closing = partial(close_periods, db, at=settings.period_closes_at, lease_s=settings.timer_lease_s)
    worker.loop("holds", partial(end_holds, db), idle_s=1.0)
    worker.loop("periods", closing, idle_s=5.0)
    worker.decide({})
    return worker


def consume(
    worker: Worker,
    *,
    accounts: AccountPolicy | None,
    then: Callable[[Handler], Handler] = lambda handler: handler,
) -> None:
    """Take what payees are owed and who they are. then: what follows each batch."""
    db = worker.database
    # What is announced must be in the ledger: after a restore the ledger posts first (docs/decisions/0310).
    worker.consume(
        "journal.posted",
        then(partial(handlers.record_payables, db)),
        after=["school.accepted"],
        after_others={"ledger": LEDGERS_TOPICS},
    )
    worker.consume("school.accepted", then(partial(handlers.configure_payees, db, accounts=accounts)))


async def end_holds(db: Database, *, clock: Clock = utc_now) -> int:
    """Pay transfers whose hold period is over."""
    now = clock()
    async with db.transaction() as tx:
        wallets = await store.transfers.wallets_due(tx, now)
        if wallets:
            await payments.pay(tx, wallets, now)
    return 0


async def close_periods(db: Database, *, at: time, lease_s: float) -> int:
    """For each business date of the school, once: put cards in force, then pay those on a schedule.

    at: the local time at which a date ends.
    """
    async with db.transaction() as tx:
        here = time_zone(await store.payees.time_zone(tx))
    name = "close_period"
    await timers.declare(db, name)
    today = timers.business_date(datetime.now(here), here, at)
    await timers.run_missed_dates(db, name, today, partial(close_date, db), lease_s=lease_s)
    return 0


async def close_date(db: Database, business_date: date) -> None:
    """Close one business date: each payee on a schedule gets one transfer. Weeks end with Sunday."""
    now = utc_now()
    async with db.transaction() as tx:
        wallets = await store.payees.with_later_cards(tx, business_date)
        await store.payees.put_in_force(tx, wallets, business_date, now)
    async with db.transaction() as tx:
        await payments.close_period(tx, "daily", f"daily:{business_date}", now)
        if business_date.isoweekday() == 1:
            await payments.close_period(tx, "weekly", f"weekly:{business_date}", now)
