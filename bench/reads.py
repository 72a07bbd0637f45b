"""How often Stripe is read in a month without any webhook: in trouble, and at rest.

Days are lived through by a clock that jumps (quiet_days.py); the simulator counts. A month is what some days
cost times their number in it, which is too many: waits grow, and the first days cost most.
"""

from collections.abc import Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta

from bench.figures import Figure, at_most
from bench.quiet_days import Loops, live_through
from bench.servers import Deployment, deployed
from fleet.database import Database
from fleet.envelope import first_cause, uuid7
from hobbs.local.stack import Stack
from hobbs.local.stripe_sim.control import Control
from services.payouts import store
from services.payouts.app import effect_policy_of, listing_policy_of, relay_limits_of
from services.payouts.domain.payees import PayeeCard
from services.payouts.domain.payments import Accrual
from services.payouts.domain.reading import READS_AT_LEAST, WINDOW, School, reads_without_webhooks
from services.payouts.domain.rereads import RereadKind, RereadRequest
from services.payouts.settings import PayoutsSettings
from services.payouts.steps import payments
from services.payouts.stripe.client import StripeClient
from services.payouts.stripe.missed_events import MissedEvents
from services.payouts.stripe.pacer import Pace
from services.payouts.stripe.relay import StripeRelay
from services.payouts.stripe.rereads import Rereader
from services.payouts.stripe.treasury import Treasury
from services.payouts.stripe.usage import Usage

PAYEES, DAYS, AMOUNT = 10, timedelta(days=5), 50_000
PAID = "instructor:i-0"
# Measured with the build of 2026-11-27: 144 reads in 108 s, nine payees not onboarded; 30 days of that.
BEFORE = ("the build before it: 144 in 108 s, nine such payees", 30 * 86_400 / 108 * 144)


async def measure(stack: Stack) -> list[Figure]:
    """Five days of trouble, then five days at rest, of one small school."""
    async with AsyncExitStack() as opened:
        deployment = await opened.enter_async_context(deployed(stack))
        stripe = opened.enter_context(Control(stack.simulator.api_base))
        small = await Small.of(deployment, stripe)
        opened.push_async_callback(small.close)
        await small.open()
        trouble = await small.reads_of(DAYS)
        await small.end_trouble()
        return figures(small.settings, trouble, await small.reads_of(DAYS))


class Clock:
    """Real time, moved forward."""

    def __init__(self) -> None:
        self.moved = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.moved

    def advance(self, *, seconds: float) -> None:
        self.moved += timedelta(seconds=seconds)


class Small:
    """Payouts of a small school, without its process: the loops as they are installed, and a clock."""

    def __init__(self, settings: PayoutsSettings, db: Database, stripe: Control) -> None:
        self.settings, self.db, self.stripe = settings, db, stripe
        self.clock = Clock()
        usage, pace = Usage(db, self.clock), Pace(settings.limits, reads_per_s=settings.stripe_reads_per_s)
        self.client = StripeClient(
            settings.stripe_secret_key.get_secret_value(),
            api_base=settings.stripe_api_base,
            timeout_s=settings.stripe_timeout_s,
            asked=usage.asked,
        )
        self.relay = StripeRelay(
            db,
            self.client,
            pace,
            self.clock,
            policy=settings.policy,
            limits=relay_limits_of(settings),
            effect_policy=effect_policy_of(settings),
        )
        schedule = settings.schedule
        self.loops = Loops(
            db=db,
            clock=self.clock,
            schedule=schedule,
            rereader=Rereader(
                db,
                self.client,
                pace,
                usage,
                self.clock,
                schedule.rechecks,
                put_off=settings.put_off,
                lease=timedelta(seconds=settings.inquiry_lease_s),
            ),
            treasury=Treasury(db, self.client, pace, usage, self.clock, schedule.balance),
            missed_events=MissedEvents(db, self.client, pace, usage, self.clock, listing_policy_of(settings)),
        )

    @classmethod
    async def of(cls, deployment: Deployment, stripe: Control) -> "Small":
        there = {
            "database_url": deployment.fleet.database_url("payouts"),
            "kafka_bootstrap": deployment.fleet.kafka_bootstrap,
            "stripe_secret_key": deployment.fleet.stripe_secret_key,
            "stripe_api_base": deployment.fleet.stripe_api_base,
            "stripe_calls_per_s": 1_000,
            "stripe_endpoint_calls_per_s": 1_000,
            "stripe_reads_per_s": 1_000,
        }
        settings = PayoutsSettings.model_validate(there)
        url = settings.database_url.get_secret_value()
        return cls(settings, Database(url, schema="payouts", pool_size=5), stripe)

    async def close(self) -> None:
        await self.client.close()
        await self.db.close()

    async def open(self) -> None:
        """Payees of whom one is onboarded and is owed what the school's balance does not cover."""
        wallets = [PAID, *(f"instructor:i-{n + 1}" for n in range(PAYEES))]
        cards = [
            PayeeCard(kind="instructor", key=w.partition(":")[2], effective_from=NEW_YEAR, version=1)
            for w in wallets
        ]
        now = self.clock()
        async with self.db.transaction() as tx:
            await store.payees.configure(tx, cards, now.date(), now)
            await payments.open_missing_accounts(tx, wallets, now, first_cause(), self.settings.accounts)
        await self.send()
        await self.onboard([PAID])
        async with self.db.transaction() as tx:
            await store.payees.lock(tx, [PAID])
            await payments.accrue(tx, [owed(now)], now)
            await payments.pay(tx, [PAID], now)
        await self.send()

    async def end_trouble(self) -> None:
        """Onboard everybody and cover what is owed, as webhooks would tell."""
        self.stripe.fund(10 * AMOUNT)
        self.loops.treasury.look_now()
        await self.loops.treasury.step()
        await self.send()
        await self.onboard([f"instructor:i-{n + 1}" for n in range(PAYEES)])
        self.stripe.advance(timedelta(days=7).total_seconds())  # the payout arrives
        await self.read_again([PAID])

    async def send(self) -> None:
        claimed = await self.relay.claim(100)
        outcomes = [await self.relay.call(operation) for operation in claimed]
        await self.relay.record([outcome for outcome in outcomes if outcome is not None])
        while await self.loops.rereader.step():
            continue

    async def onboard(self, wallets: Sequence[str]) -> None:
        for account in await self.accounts(wallets):
            self.stripe.onboard(account)
        await self.read_again(wallets)

    async def read_again(self, wallets: Sequence[str]) -> None:
        now = self.clock()
        requests = [
            RereadRequest(kind=RereadKind.ACCOUNT, object_id=account, trace=first_cause(), after=now)
            for account in await self.accounts(wallets)
        ]
        async with self.db.transaction() as tx:
            await store.rereads.request(tx, requests, now)
        while await self.loops.rereader.step():
            continue

    async def accounts(self, wallets: Sequence[str]) -> list[str]:
        async with self.db.transaction() as tx:
            return [str(payee.stripe_account) for payee in await store.payees.lock(tx, wallets)]

    async def reads_of(self, days: timedelta) -> int:
        """Reads in so many days, which the simulator counted."""
        before = self.reads()
        await live_through(self.loops, days)
        return self.reads() - before

    def reads(self) -> int:
        calls = self.stripe.state()["calls"]
        return sum(n for endpoint, n in calls.items() if endpoint.startswith("GET "))


NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC).date()


def owed(now: datetime) -> Accrual:
    return Accrual(
        journal_id=uuid7(),
        wallet=PAID,
        currency="USD",
        amount=AMOUNT,
        source="flight:F1:1",
        event_type="flight",
        occurred_at=now,
        trace=first_cause(),
    )


def figures(settings: PayoutsSettings, trouble: int, rest: int) -> list[Figure]:
    times, how = WINDOW / DAYS, f"{DAYS.days} days lived through, times {WINDOW / DAYS:g}; no webhook comes"
    troubled = School(unready=PAYEES, settled=0, weekly=0, short=True, charges=0, starts=0)
    resting = School(unready=0, settled=PAYEES + 1, weekly=0, short=False, charges=0, starts=0)
    return [
        Figure(
            name="reads of Stripe a month, ten payees not onboarded and a short balance",
            value=trouble * times,
            unit="reads",
            limit=at_most(READS_AT_LEAST),
            baseline=BEFORE,
            note=f"{how}; the waits alone make {by_the_waits(settings, troubled):,} in 30 days",
        ),
        Figure(
            name="reads of Stripe a month, eleven payees settled",
            value=rest * times,
            unit="reads",
            limit=at_most(READS_AT_LEAST),
            note=f"{how}; the waits alone make {by_the_waits(settings, resting):,} in 30 days",
        ),
    ]


def by_the_waits(settings: PayoutsSettings, school: School) -> int:
    """What the schedule makes of 30 days, without the listing of movements, which this does not run."""
    reads = reads_without_webhooks(settings.schedule, school)
    return sum(reads.values()) - reads["movements of the balance"]
