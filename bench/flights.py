"""A large school for measurements, with all payees onboarded, and flights published at random instants.

Instants follow a Poisson process that does not wait for the system (an open loop), so a slow system is
measured as slow. Every fifth flight is on a leaseback, so that 10 flights make 12 transfers.
"""

import asyncio
import json
import random
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import asyncpg
from aiokafka import AIOKafkaProducer

from bench.servers import Deployment
from hobbs.demo.school import run_hobbs
from hobbs.local.child import Child
from hobbs.local.stripe_sim.control import Control

INSTRUCTORS, OWNERS, STUDENTS, AIRCRAFT = 400, 80, 300, 60
LEASEBACKS = 0.2  # of the flights
MONEY = 10**12
READY_WITHIN_S = 240.0
UNHURRIED = {
    "HOBBS_STRIPE_CALLS_PER_S": "1000",
    "HOBBS_STRIPE_ENDPOINT_CALLS_PER_S": "1000",
    "HOBBS_STRIPE_READS_PER_S": "1000",
}


def school() -> str:
    """The school's file: instructors, students, owned aircraft, and leasebacks with an owner each."""
    tables = ['[school]\nname = "Bench"\ntime_zone = "America/New_York"\ncurrency = "USD"\n']
    tables.append("[[student_rate]]\nflight_per_hour = 70.00\nground_per_hour = 60.00\n")
    tables += [f'[[student]]\nid = "s-{n}"\nname = "Student {n}"\n' for n in range(STUDENTS)]
    pay = "flight_per_hour = 45.00\nground_per_hour = 40.00\n"
    tables += [f'[[instructor]]\nid = "i-{n}"\nname = "Instructor {n}"\n{pay}' for n in range(INSTRUCTORS)]
    tables += [f'[[owner]]\nid = "o-{n}"\nname = "Owner {n}"\n' for n in range(OWNERS)]
    tables += [aircraft(f"N{n}OW") for n in range(AIRCRAFT)]
    tables += [
        aircraft(f"N{n}LB", f'owner = "o-{n}"\nowner_share_per_hour = 120.00\n') for n in range(OWNERS)
    ]
    return "\n".join(tables)


def wallets() -> list[str]:
    """The wallets of all payees of this school."""
    return [f"instructor:i-{n}" for n in range(INSTRUCTORS)] + [
        f"aircraft_owner:o-{n}" for n in range(OWNERS)
    ]


def aircraft(tail: str, more: str = "") -> str:
    return f'[[aircraft]]\ntail = "{tail}"\nmodel = "owned"\nmeter = "hobbs"\nrate_per_hour = 165.00\n{more}'


async def open_school(deployment: Deployment, *, ready: int | None = None) -> None:
    """Apply the school's file and wait until each payee can be paid, or so many of them.

    Billing and payouts must be running.
    """
    file = deployment.fleet.folder / "school.toml"
    file.write_text(school())
    with Control(deployment.stack.simulator.api_base) as stripe:
        stripe.set(auto_onboard_after_s=0.0)
        stripe.fund(MONEY)
    # Who does not run here is not waited for.
    command = ("school", "apply", str(file), "--yes", "--no-wait", "--who", "bench", "--why", "to measure")
    await asyncio.to_thread(run_hobbs, deployment.fleet, *command)
    owner = await deployment.connect()
    try:
        await until(owner, "SELECT count(*) FROM payouts.payee WHERE ready", ready or len(wallets()))
    finally:
        await owner.close()


async def until(owner: asyncpg.Connection, count: str, enough: int, within_s: float = READY_WITHIN_S) -> None:
    """Wait until a query counts as many as it should."""
    deadline = time.monotonic() + within_s
    while (found := await owner.fetchval(count)) < enough:
        if time.monotonic() > deadline:
            raise TimeoutError(f"{found} of {enough} after {within_s:g} s: {count}")
        await asyncio.sleep(0.2)


async def start_all(deployment: Deployment, *services: str, settings: Mapping[str, str]) -> list[Child]:
    """Start services at the same time; returns when all are ready."""
    starts = [asyncio.to_thread(partial(deployment.start, s, settings=settings)) for s in services]
    return [child for started in await asyncio.gather(*starts) for child in started]


@dataclass(slots=True, kw_only=True)
class Flights:
    """Publishes flights of one deployment and remembers when each was handed to Kafka's producer."""

    deployment: Deployment
    producer: AIOKafkaProducer
    dice: random.Random
    published_at: dict[str, float] = field(default_factory=dict)
    made: int = 0
    payables: int = 0
    late_s: float = 0.0

    async def publish(self, per_s: float, seconds: float) -> None:
        """Publish at random instants, `per_s` flights a second on average."""
        flying: set[asyncio.Future[Any]] = set()
        began = time.monotonic()
        due = 0.0
        while (due := due + self.dice.expovariate(per_s)) < seconds:
            if (wait := began + due - time.monotonic()) > 0:
                await asyncio.sleep(wait)
            self.late_s = max(self.late_s, time.monotonic() - began - due)
            sent = await self.publish_one()
            flying.add(sent)
            sent.add_done_callback(flying.discard)
        await asyncio.sleep(max(began + seconds - time.monotonic(), 0.0))
        await asyncio.gather(*flying)

    async def publish_one(self) -> "asyncio.Future[Any]":
        self.made += 1
        flight = self._flight(self.made)
        topic = f"{self.deployment.fleet.topic_prefix}flight.completed"
        self.published_at[flight["flight_id"]] = time.time()
        sent: asyncio.Future[Any] = await self.producer.send(
            topic, json.dumps(flight).encode(), key=flight["flight_id"].encode()
        )
        return sent

    def _flight(self, number: int) -> dict[str, Any]:
        tenths, out = self.dice.randrange(5, 35), self.dice.randrange(10_000, 90_000)
        leaseback = self.dice.random() < LEASEBACKS
        self.payables += 1 + leaseback
        tail = f"N{self.dice.randrange(OWNERS)}LB" if leaseback else f"N{self.dice.randrange(AIRCRAFT)}OW"
        departed = datetime(2026, 1, 5, 13, tzinfo=UTC) + timedelta(minutes=number % 200_000)
        return {
            "flight_id": f"b-{number}",
            "revision": 1,
            "departed_at": f"{departed:%Y-%m-%dT%H:%M:%SZ}",
            "aircraft": tail,
            "student": f"s-{self.dice.randrange(STUDENTS)}",
            "instructor": f"i-{self.dice.randrange(INSTRUCTORS)}",
            "hobbs_out": f"{out / 10}",
            "hobbs_in": f"{(out + tenths) / 10}",
            "flight_hours": f"{tenths / 10}",
            "dual_hours": f"{tenths / 10}",
            "ground_hours": f"{self.dice.randrange(0, 10) / 10}",
        }
