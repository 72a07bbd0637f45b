"""How close to Stripe's limit the relay calls when each answer takes 300 ms, and that it never exceeds it.

Every payee is owed several transfers, which must be sent in their order. The simulator's record of requests
says when each arrived.
"""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import asyncpg

from bench import processes
from bench.figures import Figure, at_least, at_most
from bench.flights import UNHURRIED, open_school, start_all, until, wallets
from bench.processes import Shares, percentages
from bench.servers import Deployment, deployed
from fleet.envelope import Message, first_cause, uuid7
from fleet.kafka_client import publish_once
from hobbs.local.running_fleet import operator_settings
from hobbs.local.stack import Stack
from hobbs.local.stripe_sim.control import Control
from schemas.journals import JournalPosted, PostedEntry

STRIPE_ANSWERS_AFTER_S = 0.3
LIMIT_PER_S = 100
WAVES = 6
RISES_S, STEADY_S, ONE_AT_A_TIME_S = 4.0, 20.0, 6.0


async def measure(stack: Stack) -> list[Figure]:
    """Six transfers for each of 480 payees under the limit; then some one at a time."""
    async with deployed(stack) as deployment:
        await start_all(deployment, "billing", "gateway", settings={})
        unhurried = await start_all(deployment, "payouts", settings=UNHURRIED)
        await open_school(deployment)
        deployment.stop(unhurried)
        owner = await deployment.connect()
        with Control(stack.simulator.api_base) as stripe:
            try:
                stripe.add_fault("slow", method="POST", path="/v1/transfers", delay_s=STRIPE_ANSWERS_AFTER_S)
                calls = Calls(stripe=stripe)
                limited, used = await under_the_limit(deployment, owner, calls)
                alone = await one_at_a_time(deployment, calls)
                wrong = await out_of_order(owner, stripe)
            finally:
                await owner.close()
    return figures(limited, used, alone, wrong)


@dataclass(slots=True, kw_only=True)
class Calls:
    """The arrival times of requests, read before the simulator drops them from its record."""

    stripe: Control
    read: int = 0
    times: list[float] = field(default_factory=list)

    def look(self) -> None:
        fresh = self.stripe.requests(after=self.read)
        self.read = max((r["number"] for r in fresh), default=self.read)
        self.times += [r["arrived"] for r in fresh if r["path"].startswith("/v1/")]

    async def watch(self, seconds: float) -> list[float]:
        """The instants of the calls that arrive from now on for `seconds`."""
        self.look()
        before = len(self.times)
        for _ in range(round(seconds)):
            await asyncio.sleep(seconds / round(seconds))
            await asyncio.to_thread(self.look)
        return sorted(self.times[before:])


async def under_the_limit(
    deployment: Deployment, owner: asyncpg.Connection, calls: Calls
) -> tuple[list[float], dict[str, float]]:
    """The calls of the steady window, and each process's processor share."""
    await start_all(deployment, "payouts", settings={"HOBBS_STRIPE_CALLS_PER_S": str(LIMIT_PER_S)})
    shares = Shares(processes.pids(deployment.stack, deployment.workers))
    owed = asyncio.create_task(owe(deployment, WAVES))
    await until(owner, "SELECT count(*) FROM payouts.operation WHERE kind = 'transfer'", 1)
    await calls.watch(RISES_S)
    shares.look()
    steady = await calls.watch(STEADY_S)
    used = shares.look()
    await owed
    return steady, used


async def one_at_a_time(deployment: Deployment, calls: Calls) -> float:
    """Calls a second of a relay that waits for each answer."""
    deployment.stop([child for child in deployment.workers if child.name == "payouts"])
    await start_all(deployment, "payouts", settings={"HOBBS_STRIPE_CONCURRENCY": "1"})
    return len(await calls.watch(ONE_AT_A_TIME_S)) / ONE_AT_A_TIME_S


async def owe(deployment: Deployment, waves: int) -> None:
    """Publish journal.posted as the ledger would, `waves` times for each payee, so that none are merged."""
    settings = operator_settings(deployment.fleet)
    for wave in range(waves):
        await publish_once(settings, [posted(wave, wallet) for wallet in wallets()], service="ledger")
        await asyncio.sleep(1.5)


def posted(wave: int, wallet: str) -> Message:
    amount, now = 5_000 + wave, datetime.now(UTC)
    entries = [
        PostedEntry(wallet="student:s-0", amount=-amount, balance_after=-amount, version=1),
        PostedEntry(wallet=wallet, amount=amount, balance_after=amount, version=1),
    ]
    event = JournalPosted(
        journal_id=uuid7(),
        source=f"flight:{wallet.replace(':', '-')}-{wave}:1",
        event_type="flight",
        currency="USD",
        occurred_at=now,
        recorded_at=now,
        entries=entries,
    )
    return Message(topic="journal.posted", key=wallet, event=event, cause=first_cause())


async def out_of_order(owner: asyncpg.Connection, stripe: Control) -> int:
    """How many transfers arrived at an account before one that was owed earlier."""
    first = {str(row["id"]): row["payable"] for row in await owner.fetch(_FIRST_PAYABLE)}
    latest: Counter[str] = Counter()
    wrong = 0
    for effect in stripe.effects(kind="transfer"):
        payable = first[effect["operation_id"]]
        wrong += payable < latest[effect["destination"]]
        latest[effect["destination"]] = max(latest[effect["destination"]], payable)
    return wrong


_FIRST_PAYABLE = """
    SELECT operation.id, min(payable.id) AS payable
    FROM payouts.operation JOIN payouts.payable USING (transfer_id) GROUP BY operation.id
"""


def busiest(times: Sequence[float]) -> int:
    """The most calls in any span of one second."""
    most = begin = 0
    for end, at in enumerate(times):
        while times[begin] <= at - 1.0:
            begin += 1
        most = max(most, end - begin + 1)
    return most


def figures(steady: Sequence[float], used: dict[str, float], alone: float, wrong: int) -> list[Figure]:
    return [
        Figure(
            name="Stripe relay at 300 ms, calls",
            value=len(steady) / STEADY_S,
            unit="calls/s",
            limit=at_least(0.9 * LIMIT_PER_S),
            baseline=("one call at a time, calls/s", alone),
            note=f"limit of {LIMIT_PER_S}/s, {STEADY_S:g} s, up to {WAVES} transfers for each of "
            f"{len(wallets())} payees, webhooks coming back; {percentages(used)}",
        ),
        Figure(
            name="Stripe relay at 300 ms, busiest second",
            value=busiest(steady),
            unit="calls",
            limit=at_most(LIMIT_PER_S),
            note="of every span of one second, by the simulator's record of arrivals; reads included",
        ),
        Figure(
            name="Stripe relay at 300 ms, out of an account's order",
            value=wrong,
            unit="transfers",
            limit=at_most(0),
        ),
    ]
