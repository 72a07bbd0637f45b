"""How near to Stripe's limits the relay sends transfers at 300 ms an answer, and that none is refused.

The simulator holds to Stripe's limits: 25 transfers a second, 100 calls in all in live mode, 25 in a sandbox.
Every payee is owed several transfers, which must be sent in their order. The simulator's record of requests
says when each arrived.
"""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import asyncpg

from bench import journals, processes
from bench.figures import Figure, at_least, at_most
from bench.flights import UNHURRIED, open_school, start_all, until, wallets
from bench.processes import Shares, percentages
from bench.servers import Deployment, deployed
from fleet.envelope import Record
from hobbs.local.stack import Stack
from hobbs.local.stripe_sim.control import Control
from schemas.journals import EntryRequest, JournalRequested

STRIPE_ANSWERS_AFTER_S = 0.3
LIMIT_PER_S = 25  # of POST /v1/transfers: fleet/stripe_limits.py
LEAST = 0.9
PAYEES, WAVES = 150, 8
RISES_S, STEADY_S, SANDBOX_S, ONE_AT_A_TIME_S = 4.0, 20.0, 12.0, 6.0


async def measure(stack: Stack) -> list[Figure]:
    """Some transfers for each of many payees under the limits of both modes; then some one at a time."""
    async with deployed(stack) as deployment:
        await start_all(deployment, "billing", "gateway", "ledger", settings={})
        unhurried = await start_all(deployment, "payouts", settings=UNHURRIED)
        await open_school(deployment)
        deployment.stop(unhurried)
        owner = await deployment.connect()
        with Control(stack.simulator.api_base) as stripe:
            try:
                stripe.add_fault("slow", method="POST", path="/v1/transfers", delay_s=STRIPE_ANSWERS_AFTER_S)
                calls = Calls(stripe=stripe)
                owed = asyncio.create_task(owe(deployment, WAVES))
                limited, used = await under_the_limit(deployment, owner, calls, "live", STEADY_S)
                sandbox, _ = await under_the_limit(deployment, owner, calls, "sandbox", SANDBOX_S)
                refused = sum(stripe.state()["rate_limited"].values())
                await owed
                stripe.set(rate_limits="off")
                alone = await one_at_a_time(deployment, calls)
                wrong = await out_of_order(owner, stripe)
            finally:
                await owner.close()
    return figures(limited, sandbox, used, alone, refused, wrong)


@dataclass(slots=True, kw_only=True)
class Calls:
    """The arrival times of transfers, read before the simulator drops them from its record."""

    stripe: Control
    read: int = 0
    times: list[float] = field(default_factory=list)

    def look(self) -> None:
        fresh = self.stripe.requests(after=self.read)
        self.read = max((r["number"] for r in fresh), default=self.read)
        self.times += [r["arrived"] for r in fresh if (r["method"], r["path"]) == ("POST", "/v1/transfers")]

    async def watch(self, seconds: float) -> list[float]:
        """The instants of the transfers that arrive from now on for `seconds`."""
        self.look()
        before = len(self.times)
        for _ in range(round(seconds)):
            await asyncio.sleep(seconds / round(seconds))
            await asyncio.to_thread(self.look)
        return sorted(self.times[before:])


async def under_the_limit(
    deployment: Deployment, owner: asyncpg.Connection, calls: Calls, mode: str, seconds: float
) -> tuple[list[float], dict[str, float]]:
    """The transfers of the steady window under a mode's limits, and each process's processor share."""
    deployment.stop([child for child in deployment.workers if child.name == "payouts"])
    calls.stripe.set(rate_limits=mode)
    await start_all(deployment, "payouts", settings={"HOBBS_STRIPE_LIMITS": mode})
    shares = Shares(processes.pids(deployment.stack, deployment.workers))
    await until(owner, "SELECT count(*) FROM payouts.operation WHERE kind = 'transfer'", PAYEES)
    await calls.watch(RISES_S)
    shares.look()
    steady = await calls.watch(seconds)
    return steady, shares.look()


async def one_at_a_time(deployment: Deployment, calls: Calls) -> float:
    """Calls a second of a relay that waits for each answer."""
    deployment.stop([child for child in deployment.workers if child.name == "payouts"])
    await start_all(deployment, "payouts", settings={"HOBBS_STRIPE_CONCURRENCY": "1"})
    return len(await calls.watch(ONE_AT_A_TIME_S)) / ONE_AT_A_TIME_S


async def owe(deployment: Deployment, waves: int) -> None:
    """Ask the ledger for a journal, `waves` times for each payee, so that none are merged."""
    fleet = deployment.fleet
    for wave in range(waves):
        batch = [requested(wave, number, wallet) for number, wallet in enumerate(wallets()[:PAYEES])]
        async with journals.producing(fleet.kafka_bootstrap) as producer:
            await journals.produce(producer, fleet.topic_prefix, batch)
        await asyncio.sleep(1.5)


def requested(wave: int, number: int, wallet: str) -> Record:
    amount = 5_000 + wave
    event = JournalRequested(
        source=f"flight:{wallet.replace(':', '-')}-{wave}:1",
        event_type="flight",
        currency="USD",
        occurred_at=datetime.now(UTC),
        entries=[
            EntryRequest(wallet="student:s-0", amount=-amount),
            EntryRequest(wallet=wallet, amount=amount),
        ],
    )
    return journals.record_of(event, number, event.occurred_at)


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


def figures(
    steady: Sequence[float],
    sandbox: Sequence[float],
    used: dict[str, float],
    alone: float,
    refused: int,
    wrong: int,
) -> list[Figure]:
    return [
        Figure(
            name="Stripe relay at 300 ms, transfers, live limits",
            value=len(steady) / STEADY_S,
            unit="transfers/s",
            limit=at_least(LEAST * LIMIT_PER_S),
            baseline=("one call at a time, transfers/s", alone),
            note=f"the endpoint takes {LIMIT_PER_S}/s; {STEADY_S:g} s, up to {WAVES} transfers for each of "
            f"{PAYEES} payees, webhooks coming back; {percentages(used)}",
        ),
        Figure(
            name="Stripe relay at 300 ms, transfers, limits of a sandbox",
            value=len(sandbox) / SANDBOX_S,
            unit="transfers/s",
            limit=at_least(LEAST * LIMIT_PER_S),
            note=f"{LIMIT_PER_S}/s in all, reads included; {SANDBOX_S:g} s",
        ),
        Figure(
            name="Stripe relay at 300 ms, refused for their rate",
            value=refused,
            unit="calls",
            limit=at_most(0),
            note="429s by the simulator, which holds to Stripe's limits in any span of one second",
        ),
        Figure(
            name="Stripe relay at 300 ms, busiest second",
            value=busiest(steady),
            unit="transfers",
            limit=at_most(LIMIT_PER_S),
            note="of every span of one second, by the simulator's record of arrivals",
        ),
        Figure(
            name="Stripe relay at 300 ms, out of an account's order",
            value=wrong,
            unit="transfers",
            limit=at_most(0),
        ),
    ]
