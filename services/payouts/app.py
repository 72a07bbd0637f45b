"""Assembles the payouts service: Stripe's client, consumers, relay, loops, timers, health."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial

from fleet.attestation_keys import keys_of
from fleet.database import Database
from fleet.envelope import Record
from fleet.shared_batches import Handler
from fleet.worker import Worker
from schemas.proved import PROVED
from services.payouts import deciding, handlers
from services.payouts.desk import decisions
from services.payouts.domain.reading import Backoff
from services.payouts.handlers import Clock, utc_now
from services.payouts.settings import PayoutsSettings
from services.payouts.steps import charges, gauges
from services.payouts.stripe import links
from services.payouts.stripe import webhooks as stripes_events
from services.payouts.stripe.adoption import Adoption
from services.payouts.stripe.balance_readings import BalanceReadings
from services.payouts.stripe.clawbacks import Clawbacks
from services.payouts.stripe.client import StripeClient
from services.payouts.stripe.effects import EffectPolicy
from services.payouts.stripe.existing_accounts import adopt_accounts
from services.payouts.stripe.existing_customers import adopt_customers
from services.payouts.stripe.missed_events import ListingPolicy, MissedEvents
from services.payouts.stripe.mode import ModeGate
from services.payouts.stripe.movements import MovementPolicy, Movements
from services.payouts.stripe.pacer import Pace
from services.payouts.stripe.refunds import Refunds
from services.payouts.stripe.relay import RelayLimits, StripeRelay
from services.payouts.stripe.rereads import Rereader
from services.payouts.stripe.reserve_gate import ReserveGates
from services.payouts.stripe.retries import Retries, fingerprint
from services.payouts.stripe.student_links import answer_student_links
from services.payouts.stripe.treasury import Treasury
from services.payouts.stripe.usage import Usage

MEASURE_S = 10.0
USAGE_S = 10.0  # a process that is killed forgets at most the reads of so long
WEBHOOKS_EVERY_S = 0.2  # many share a commit; no payment waits for a webhook
LEASE_MARGIN_S = 1.0
COMPARED_POLL_S = 0.2
UNANSWERED_MAX_S = 300.0  # nothing is sent before Stripe answered, so it is asked at least so often


@dataclass(frozen=True, slots=True, kw_only=True)
class _Parts:
    """What calls Stripe, and what counts and paces its calls."""

    client: StripeClient
    pace: Pace
    usage: Usage
    adoption: Adoption
    mode: ModeGate
    relay: StripeRelay
    treasury: Treasury
    readings: BalanceReadings
    rereader: Rereader
    retries: Retries
    missed_events: MissedEvents
    movements: Movements


def build(settings: PayoutsSettings | None = None) -> Worker:
    """Assemble the worker; `run` it."""
    settings = settings or PayoutsSettings()
    worker = Worker("payouts", settings, proved=PROVED)
    parts = _parts(worker.database, settings)
    _consume(worker, settings, parts)
    _loop(worker, settings, parts)
    worker.decide(decisions.actions(settings.forced_by_one_up_to, accounts_by_two=settings.accounts_by_two))
    worker.begin_when(lambda: parts.adoption.compared)
    worker.ready_checks["stripe"] = parts.relay.check
    worker.ready_checks["mode"] = parts.mode.check
    worker.ready_checks["compared"] = parts.adoption.check
    worker.on_stop(parts.relay.drain)
    worker.on_stop(parts.client.close)
    worker.on_stop(parts.usage.save)
    return worker


def _parts(db: Database, settings: PayoutsSettings) -> _Parts:
    usage, pace = Usage(db, utc_now), Pace(settings.limits, reads_per_s=settings.stripe_reads_per_s)
    key = settings.stripe_secret_key.get_secret_value()
    client = StripeClient(
        key,
        api_base=settings.stripe_api_base,
        timeout_s=settings.stripe_timeout_s,
        connections=settings.stripe_concurrency + 16,
        asked=usage.asked,
    )
    probe = settings.stopped_probe.first
    keys = keys_of(settings.attestation_keys)
    adoption = Adoption(
        db,
        client,
        pace,
        utc_now,
        effect_policy=effect_policy_of(settings),
        probe_after=probe,
        starts=settings.starts,
        unanswered=unanswered_of(settings),
        api=settings.stripe_accounts,
    )
    return _Parts(
        client=client,
        pace=pace,
        usage=usage,
        adoption=adoption,
        mode=ModeGate(db, client, utc_now, api_base=settings.stripe_api_base, probe_after=probe),
        relay=_relay(settings, db, client, pace, effect_policy_of(settings), adoption),
        treasury=Treasury(db, client, pace, usage, utc_now, settings.schedule.balance),
        readings=BalanceReadings(
            db,
            client,
            pace,
            utc_now,
            settings.reserve_readings,
            timedelta(seconds=settings.reserve_readings_apart_s),
        ),
        rereader=Rereader(
            db,
            client,
            pace,
            usage,
            utc_now,
            settings.schedule.rechecks,
            put_off=settings.put_off,
            lease=timedelta(seconds=settings.inquiry_lease_s),
            keys=keys,
        ),
        retries=Retries(db, utc_now, fingerprint(key, *_how_accounts_are_made(settings)), settings.accounts),
        missed_events=MissedEvents(db, client, pace, usage, utc_now, listing_policy_of(settings), keys=keys),
        movements=Movements(db, client, pace, utc_now, movement_policy_of(settings)),
    )


def _how_accounts_are_made(settings: PayoutsSettings) -> tuple[str, ...]:
    """The settings that may end a refusal when they change."""
    return settings.stripe_accounts, settings.stripe_country, str(settings.stripe_recipient_alone)


def _consume(worker: Worker, settings: PayoutsSettings, parts: _Parts) -> None:
    db, relay = worker.database, parts.relay
    webhooks = partial(
        stripes_events.handle_webhooks,
        db,
        effect_policy=effect_policy_of(settings),
        look_now=parts.treasury.look_now,
        balance_moved=parts.readings.look_now,
        livemode=settings.livemode,
        keys=keys_of(settings.attestation_keys),
    )
    deciding.consume(worker, accounts=settings.accounts, then=partial(_waking, relay))
    worker.consume("reversal.requested", partial(handlers.claw_back, db))
    worker.consume("payment.received", partial(handlers.know_payments, db))
    worker.consume("refund.requested", partial(handlers.refund, db), after=["payment.received"])
    worker.consume("charge.requested", _waking(relay, partial(handlers.charge, db)))
    worker.consume("dunning.requested", partial(handlers.make_pages, db))
    people = partial(handlers.know_people, db, accounts=settings.accounts)
    worker.consume("contact.changed", _waking(relay, people))
    worker.consume("reserve.gate", partial(handlers.heed_gate, db))
    worker.consume("stripe.webhook", _waking(relay, webhooks), every_s=WEBHOOKS_EVERY_S)


def _loop(worker: Worker, settings: PayoutsSettings, parts: _Parts) -> None:
    db, client, mode = worker.database, parts.client, parts.mode
    once_compared = partial(_once_compared, parts.adoption)
    worker.loop("adoption", partial(_compare, mode, parts.adoption), idle_s=1.0)
    worker.loop("relay", parts.relay.step, idle_s=0)
    worker.loop("rereads", once_compared(parts.rereader.step), idle_s=0.25)
    worker.loop("treasury", once_compared(parts.treasury.step), idle_s=0.1)
    worker.loop("reserve_gate", once_compared(_reserve_gates(db, settings, parts.relay).step), idle_s=0.1)
    worker.loop("balance", once_compared(parts.readings.step), idle_s=0.25)
    worker.loop("holds", once_compared(partial(deciding.end_holds, db)), idle_s=1.0)
    reversing = Clawbacks(db, client, parts.pace, utc_now, parts.relay.wake)
    worker.loop("clawbacks", once_compared(reversing.step), idle_s=0.5)
    refunding = Refunds(db, client, parts.pace, utc_now, parts.relay.wake)
    worker.loop("refunds", once_compared(refunding.step), idle_s=0.5)
    worker.loop("charges", once_compared(partial(close_charges, db)), idle_s=5.0)
    worker.loop("retries", once_compared(parts.retries.step), idle_s=1.0)
    answer_links = partial(links.answer_links, db, client, parts.pace, settings, utc_now)
    worker.loop("links", partial(_once_known, mode, answer_links), idle_s=1.0)
    pages = partial(
        answer_student_links, db, client, parts.pace, settings.stripe_checkout_return_url, utc_now
    )
    worker.loop("student_links", partial(_once_known, mode, pages), idle_s=1.0)
    adopt = partial(adopt_accounts, db, client, settings.stripe_accounts, utc_now)
    worker.loop("accounts", partial(_once_known, mode, adopt), idle_s=1.0)
    adopt_them = partial(adopt_customers, db, client, parts.pace, utc_now)
    worker.loop("customers", partial(_once_known, mode, adopt_them), idle_s=1.0)
    closing = partial(
        deciding.close_periods, db, at=settings.period_closes_at, lease_s=settings.timer_lease_s
    )
    worker.loop("periods", once_compared(closing), idle_s=5.0)
    recover = partial(_once_of_one_mode, worker, mode, parts.missed_events.run)
    worker.every("recover_events", settings.events_poll_s, recover)
    listing = partial(_once_of_one_mode, worker, mode, parts.movements.run)
    worker.every("list_movements", settings.movements_poll_s, listing)
    worker.loop("backfill", once_compared(parts.movements.backfill), idle_s=2.0)
    worker.loop("usage", parts.usage.step, idle_s=USAGE_S)
    worker.loop("measure", partial(gauges.measure, db), idle_s=MEASURE_S)


def _reserve_gates(db: Database, settings: PayoutsSettings, relay: StripeRelay) -> ReserveGates:
    return ReserveGates(db, utc_now, relay.wake, timedelta(seconds=settings.reserve_readings_apart_s))


async def _compare(mode: ModeGate, adoption: Adoption) -> int:
    """Compare the modes of the key and the database first: what a key of the other mode lists is not ours."""
    await mode.step()
    return await adoption.step() if mode.compared else 0


async def _once_known(mode: ModeGate, step: Callable[[], Awaitable[int]]) -> int:
    """Let what a person waits for rest until the modes are compared; that they differ is an answer too."""
    return await step() if mode.known else 0


async def _once_of_one_mode(worker: Worker, mode: ModeGate, run: Callable[[], Awaitable[None]]) -> None:
    """List what Stripe has as soon as the modes are compared: the next time is minutes away."""
    while not mode.compared and not worker.stopping:  # noqa: ASYNC110 - another loop compares
        await asyncio.sleep(COMPARED_POLL_S)
    if mode.compared:
        await run()


def _once_compared(adoption: Adoption, step: Callable[[], Awaitable[int]]) -> Callable[[], Awaitable[int]]:
    """Let a loop that decides on payments rest until it is known what Stripe made (decision 0150)."""

    async def compared_step() -> int:
        return await step() if adoption.compared else 0

    return compared_step


def _waking(relay: StripeRelay, handle: Handler) -> Handler:
    """Wake the relay when a batch is committed, because it may have decided operations."""

    async def handle_and_wake(batch: Sequence[Record]) -> None:
        await handle(batch)
        relay.wake()

    return handle_and_wake


def effect_policy_of(settings: PayoutsSettings) -> EffectPolicy:
    return EffectPolicy(
        instant_fee_basis_points=settings.instant_fee_basis_points,
        instant_fee_minimum=settings.instant_fee_minimum,
        unsettled_recheck=timedelta(seconds=settings.unsettled_recheck_s),
    )


def unanswered_of(settings: PayoutsSettings) -> Backoff:
    """When a process that has just started asks again, after Stripe did not answer it."""
    return replace(settings.put_off.unread, most=timedelta(seconds=UNANSWERED_MAX_S))


def listing_policy_of(settings: PayoutsSettings) -> ListingPolicy:
    return ListingPolicy(
        overlap=timedelta(seconds=settings.events_overlap_s),
        grace=timedelta(seconds=settings.events_grace_s),
        wait=settings.schedule.events,
    )


def movement_policy_of(settings: PayoutsSettings) -> MovementPolicy:
    return MovementPolicy(
        overlap=timedelta(seconds=settings.movements_overlap_s),
        grace=timedelta(seconds=settings.movements_grace_s),
    )


def relay_limits_of(settings: PayoutsSettings) -> RelayLimits:
    return RelayLimits(
        concurrency=settings.stripe_concurrency,
        lease=timedelta(seconds=settings.lease_s),
        call_time=timedelta(seconds=settings.stripe_timeout_s + LEASE_MARGIN_S),
        probe=settings.stopped_probe,
    )


def _relay(
    settings: PayoutsSettings,
    db: Database,
    client: StripeClient,
    pace: Pace,
    effect_policy: EffectPolicy,
    adoption: Adoption,
) -> StripeRelay:
    return StripeRelay(
        db,
        client,
        pace,
        utc_now,
        policy=settings.policy,
        limits=relay_limits_of(settings),
        effect_policy=effect_policy,
        may_send=lambda: adoption.compared,
    )


async def close_charges(db: Database, *, clock: Clock = utc_now) -> int:
    """Give up charges of saved payment methods that were not made in time."""
    async with db.transaction() as tx:
        return await charges.close_lapsed(tx, clock())
