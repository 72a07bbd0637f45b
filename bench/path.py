"""From a flight to Stripe's 2xx: the time at 50 flights a second, the highest rate, the resources used.

A flight's time runs from the instant it is handed to Kafka's producer to the instant payouts has read
Stripe's 2xx for the last of its transfers (operation.finished_at, found through the payables of the flight's
journal). Both instants are of one machine's wall clock, and the answer's way back is included.
"""

import os
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import mean

import asyncpg
from aiokafka import AIOKafkaProducer

from bench import memory, path_figures, processes, sizes
from bench.figures import Figure
from bench.flights import UNHURRIED, Flights, open_school, start_all, until
from bench.path_figures import Latency, Stair
from bench.processes import Footprint, Shares
from bench.servers import Deployment, deployed
from hobbs.local.child import Child
from hobbs.local.stack import Stack
from hobbs.local.stripe_sim.control import Control
from schemas.services import SERVICES

STRIPE_ANSWERS_AFTER_S = 0.05
PER_S, WARM_UP_S, MEASURED_S = 50.0, 6.0, 40.0
STAIRS_PER_S = (60.0, 70.0, 80.0, 95.0, 110.0, 130.0, 150.0, 175.0, 200.0, 240.0, 280.0)
STAIR_S = 6.0
OVERLOAD_PER_S, OVERLOAD_RISES_S, OVERLOAD_S = 30.0, 6.0, 12.0
OTHERS = tuple(service for service in SERVICES if service != "payouts")


async def measure(stack: Stack) -> list[Figure]:
    """Latency, then overload under Stripe's limit, then rising rates without it, in one deployment."""
    async with deployed(stack) as deployment:
        others = await start_all(deployment, *OTHERS, settings={})
        unhurried = await start_all(deployment, "payouts", settings=UNHURRIED)
        await open_school(deployment)
        deployment.stop(unhurried)
        with Control(stack.simulator.api_base) as stripe:
            stripe.add_fault("slow", method="POST", path="/v1/transfers", delay_s=STRIPE_ANSWERS_AFTER_S)
        owner = await deployment.connect()
        bootstrap = deployment.fleet.kafka_bootstrap
        try:
            async with AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all") as producer:
                flights = Flights(deployment=deployment, producer=producer, dice=random.Random(7))
                run = Run(stack=stack, deployment=deployment, owner=owner, flights=flights, others=others)
                return await run.everything()
        finally:
            await owner.close()


@dataclass(slots=True, kw_only=True)
class Run:
    """The measurements on one running fleet."""

    stack: Stack
    deployment: Deployment
    owner: asyncpg.Connection
    flights: Flights
    others: list[Child]
    idle: dict[str, float] = field(default_factory=dict)
    loaded: dict[str, Footprint] = field(default_factory=dict)

    async def everything(self) -> list[Figure]:
        tables, topics = await self.sizes()
        latency = await self.latency()
        limited = await self.with_stripes_limit()
        stairs = await self.stairs()
        await self.until_sent()
        tables_now, topics_now = await self.sizes()
        return [
            *path_figures.latency(latency, PER_S),
            *path_figures.throughput(limited, stairs),
            *memory.figures(self.idle, self.loaded),
            *sizes.figures(
                len(self.flights.published_at),
                sizes.growth(tables, tables_now),
                sizes.growth(topics, topics_now),
            ),
        ]

    async def sizes(self) -> tuple[dict[str, int], dict[str, int]]:
        """The sizes of tables and topics in bytes."""
        prefix = self.deployment.fleet.topic_prefix
        return await sizes.tables(self.owner), sizes.topics(self.stack.folder, prefix)

    async def latency(self) -> Latency:
        """Without Stripe's limits, which let 25 transfers a second through."""
        shares = await self.start_payouts(UNHURRIED)
        self.idle = {name: found.resident for name, found in self.look_at_memory().items()}
        await self.warm_up()
        earlier = set(self.flights.published_at)
        self.flights.late_s = 0.0
        shares.look()
        await self.flights.publish(PER_S, MEASURED_S)
        used, load = shares.look(), os.getloadavg()[0]
        await self.until_sent()
        sent = await self.sent_at()
        published = {f: at for f, at in self.flights.published_at.items() if f not in earlier}
        transfers: int = await self.owner.fetchval(_TRANSFERS_SINCE, min(published.values()))
        return Latency(
            flights=[sent[flight] - at for flight, at in published.items()],
            transfers_per_s=transfers / MEASURED_S,
            reading_s=await self.reading_s(),
            late_s=self.flights.late_s,
            load=load,
            shares=used,
        )

    async def with_stripes_limit(self) -> Stair:
        """The rate that Stripe's limits, which the simulator holds to, let through of more flights."""
        with Control(self.stack.simulator.api_base) as stripe:
            stripe.set(rate_limits="live")
            shares = await self.start_payouts({"HOBBS_STRIPE_LIMITS": "live"})
            await self.flights.publish(PER_S, 1.0)
            await self.until_sent()
            await self.flights.publish(OVERLOAD_PER_S, OVERLOAD_RISES_S)
            stair = await self.climb(OVERLOAD_PER_S, OVERLOAD_S, shares)
            await self.until_sent()
            stripe.set(rate_limits="off")
        return stair

    async def stairs(self) -> list[Stair]:
        """Rising rates of flights, without Stripe's limit, until the fleet falls behind."""
        shares = await self.start_payouts(UNHURRIED)
        await self.warm_up()
        climbed: list[Stair] = []
        for per_s in STAIRS_PER_S:
            climbed.append(await self.climb(per_s, STAIR_S, shares))
            if not climbed[-1].is_sustained:
                break
        return climbed

    async def climb(self, per_s: float, seconds: float, shares: Shares) -> Stair:
        before = await self.progress()
        shares.look()
        await self.flights.publish(per_s, seconds)
        used, after = shares.look(), await self.progress()
        self.look_at_memory()
        unsent = len(self.flights.published_at) - after["flights"]
        return Stair(
            offered_per_s=per_s,
            sent_per_s=(after["flights"] - before["flights"]) / seconds,
            transfers_per_s=(after["transfers"] - before["transfers"]) / seconds,
            behind_s=unsent / per_s,
            shares=used,
            waiting={
                "billing": len(self.flights.published_at) - after["bills"],
                "the ledger": after["bills"] - after["journals"],
                "payouts' consumer": after["journals"] - after["owed"],
                "payouts' relay": after["operations"] - after["transfers"],
            },
        )

    async def start_payouts(self, settings: Mapping[str, str]) -> Shares:
        """Replace the payouts worker by one with these settings."""
        self.deployment.stop([child for child in self.deployment.workers if child.name == "payouts"])
        await start_all(self.deployment, "payouts", settings=settings)
        return Shares(processes.pids(self.stack, self.deployment.workers))

    async def warm_up(self) -> None:
        """Publish flights until the new workers have joined their consumer groups."""
        await self.flights.publish(PER_S, 1.0)
        await self.until_sent()
        await self.flights.publish(PER_S, WARM_UP_S)

    async def until_sent(self) -> None:
        await until(self.owner, _PAYABLES_SENT, self.flights.payables)

    async def progress(self) -> Mapping[str, int]:
        """How many flights have passed each stage, and how many transfers."""
        return dict(await self.owner.fetchrow(_PROGRESS), flights=len(await self.sent_at()))

    async def sent_at(self) -> dict[str, float]:
        return {row["flight"]: row["at"] for row in await self.owner.fetch(_SENT_AT)}

    async def reading_s(self) -> float:
        """Seconds from the simulator's answer to finished_at, of the latest transfers."""
        with Control(self.stack.simulator.api_base) as stripe:
            asked = stripe.requests()
        answered = {str(r["idempotency_key"]): r["created"] for r in asked if r["path"] == "/v1/transfers"}
        rows = await self.owner.fetch(_FINISHED_AT, list(answered))
        return mean(float(row["at"] - answered[row["idempotency_key"]]) for row in rows)

    def look_at_memory(self) -> dict[str, Footprint]:
        found = {child.name: processes.footprint(child.pid) for child in self.deployment.workers}
        for name, now in found.items():
            self.loaded[name] = now.or_more(self.loaded.get(name))
        return found


_SENT_AT = """
    SELECT split_part(payable.source, ':', 2) AS flight,
           CAST(max(extract(epoch FROM operation.finished_at)) AS float8) AS at
    FROM payouts.payable LEFT JOIN payouts.operation
        ON operation.transfer_id = payable.transfer_id AND operation.kind = 'transfer'
    GROUP BY payable.source HAVING bool_and(coalesce(operation.state = 'succeeded', false))
"""
_PROGRESS = """
    SELECT (SELECT count(*) FROM billing.bill) AS bills,
           (SELECT count(*) FROM ledger.journal WHERE event_type = 'flight') AS journals,
           (SELECT count(DISTINCT source) FROM payouts.payable) AS owed,
           count(*) AS operations, count(*) FILTER (WHERE state = 'succeeded') AS transfers
    FROM payouts.operation WHERE kind = 'transfer'
"""
# The index operation_line holds no settled operation, so this query is cheap on a busy server.
_PAYABLES_SENT = """
    SELECT count(*) FROM payouts.payable
    WHERE NOT EXISTS (SELECT FROM payouts.operation WHERE state IN ('due', 'in_flight', 'held', 'parked'))
"""
_TRANSFERS_SINCE = """
    SELECT count(*) FROM payouts.operation
    WHERE kind = 'transfer' AND extract(epoch FROM created_at) >= CAST($1 AS float8)
"""
_FINISHED_AT = """
    SELECT attempt.idempotency_key, CAST(extract(epoch FROM operation.finished_at) AS float8) AS at
    FROM payouts.attempt JOIN payouts.operation ON operation.id = attempt.operation_id
    WHERE idempotency_key = ANY (CAST($1 AS text[])) AND operation.finished_at IS NOT NULL
"""
