"""`make soak`: an hour of steady traffic (MINUTES=60), to find memory or tables that grow.

Flights, card payments, webhooks and payouts to banks; a sample every 30 s. In the second half each worker's
memory and open files, and the tables whose rows are deleted again, must not grow beyond noise (slopes.py),
no backlog may last longer than some seconds, and a flight must not take more disk than in the first half.
Prints a table, writes soak.json, exits 1 when one of these does not hold. Inboxes do grow: nothing prunes
them by itself (docs/operations/postgres.md).
"""

import asyncio
import json
import os
import random
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import uvloop
from aiokafka import AIOKafkaProducer
from rich.console import Console
from rich.table import Table

from bench import figures, slopes
from bench.flights import STUDENTS, UNHURRIED, Flights, open_school, start_all
from bench.servers import Deployment, deployed, running_servers
from bench.slopes import Bound
from bench.soak_samples import Sample, look, second_half
from hobbs.demo.money import Cashier
from hobbs.local.stack import Stack
from hobbs.local.stripe_sim.control import Control
from schemas.services import SERVICES

PER_S, SAMPLE_EVERY_S = 20.0, 30.0
PAYMENT_EVERY_S, PAYMENT = 2.0, 40_000
BACKLOG_S_MAX = 10.0
RECORDS_OF_A_FLIGHT = 12  # that a group consumes, webhooks included
GROWS_BY_MAX = 1.25
OUTPUT = Path("build/bench/soak.json")
STRIPE = {"charge_available_after_s": 0.0, "automatic_payout_after_s": 60.0, "payout_arrives_after_s": 5.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One measured value, and whether it kept its bound."""

    what: str
    found: str
    bound: str
    holds: bool


def main() -> int:
    minutes = float(os.environ.get("MINUTES", "60"))
    machine = figures.machine()
    with running_servers() as stack:
        samples = uvloop.run(soak(stack, minutes))
    found = findings(samples)
    show(found, minutes)
    OUTPUT.parent.mkdir(parents=True, exist_ok=True)
    document = {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine,
        "minutes": minutes,
        "findings": [asdict(finding) for finding in found],
        "samples": [asdict(sample) for sample in samples],
    }
    OUTPUT.write_text(json.dumps(document, indent=2) + "\n")
    return 0 if all(finding.holds for finding in found) else 1


async def soak(stack: Stack, minutes: float) -> list[Sample]:
    """Run the traffic; returns a sample of the start and of each half minute."""
    async with deployed(stack) as deployment:
        others = [service for service in SERVICES if service != "payouts"]
        await start_all(deployment, *others, settings={})
        unhurried = await start_all(deployment, "payouts", settings=UNHURRIED)
        await open_school(deployment)
        deployment.stop(unhurried)
        await start_all(deployment, "payouts", settings={"HOBBS_STRIPE_LIMITS": "live"})
        with Control(stack.simulator.api_base) as stripe:
            stripe.set(rate_limits="live", **STRIPE)
        owner = await deployment.connect()
        paying = asyncio.create_task(pay_in(deployment))
        try:
            async with AIOKafkaProducer(bootstrap_servers=stack.kafka.bootstrap, acks="all") as producer:
                flights = Flights(deployment=deployment, producer=producer, dice=random.Random(11))
                return await sampled(deployment, owner, flights, minutes)
        finally:
            paying.cancel()
            await owner.close()


async def sampled(
    deployment: Deployment, owner: asyncpg.Connection, flights: Flights, minutes: float
) -> list[Sample]:
    began = time.monotonic()
    samples = [await look(deployment, owner, at_s=0.0, flights=0)]
    while time.monotonic() - began < 60 * minutes:
        await flights.publish(PER_S, SAMPLE_EVERY_S)
        flights.published_at.clear()
        for child in deployment.workers:
            child.require_running()
        samples.append(await look(deployment, owner, at_s=time.monotonic() - began, flights=flights.made))
        show_sample(samples[-1])
    return samples


async def pay_in(deployment: Deployment) -> None:
    """Students pay by card, one after the other."""
    cashier, dice = Cashier(deployment.fleet), random.Random(12)
    while True:
        student = f"s-{dice.randrange(STUDENTS)}"
        await asyncio.to_thread(cashier.pay_in, student, [PAYMENT])
        await asyncio.sleep(PAYMENT_EVERY_S)


def show_sample(sample: Sample) -> None:
    memory = ", ".join(f"{name} {mib:.1f}" for name, mib in sample.memory.items())
    waiting = ", ".join(f"{name} {count}" for name, count in sample.waiting.items())
    sys.stderr.write(
        f"{sample.at_s:5.0f} s  {sample.flights:,} flights  MiB: {memory}  lag {sample.lag}, {waiting}\n"
    )


def findings(samples: Sequence[Sample]) -> list[Finding]:
    """The findings about the second half."""
    watched = second_half(samples)
    times = [sample.at_s for sample in watched]
    found = []
    for name in watched[0].memory:
        found.append(_grows(f"memory, {name}", times, [s.memory[name] for s in watched], slopes.MEMORY))
    for name in watched[0].files:
        found.append(_grows(f"open files, {name}", times, [s.files[name] for s in watched], slopes.FILES))
    for name in watched[0].passing:
        found.append(_grows(f"table {name}", times, [s.passing[name] for s in watched], slopes.TABLES))
    return [*found, *_backlogs(watched), _room(samples)]


def _grows(what: str, times: Sequence[float], values: Sequence[float], bound: Bound) -> Finding:
    line = slopes.line(times, values)
    return Finding(
        what=what,
        found=f"{values[0]:.1f} to {values[-1]:.1f}, {line.per_hour:+.1f} ± {line.error:.1f} {bound.unit}/h",
        bound=f"{bound.per_hour:g} {bound.unit}/h beyond two standard errors, or {bound.noise:g} in all",
        holds=bound.holds(line),
    )


def _backlogs(watched: Sequence[Sample]) -> list[Finding]:
    lag, lag_max = max(s.lag for s in watched), round(BACKLOG_S_MAX * PER_S * RECORDS_OF_A_FLIGHT)
    found = [Finding(what="consumer lag", found=f"{lag:,}", bound=f"{lag_max:,}", holds=lag <= lag_max)]
    limits = {"outbox": lag_max, "operations": round(BACKLOG_S_MAX * PER_S), "stopped": 0, "dead": 0}
    for name, limit in limits.items():
        most = max(sample.waiting[name] for sample in watched)
        found.append(
            Finding(what=f"rows: {name}", found=f"{most:,}", bound=f"{limit:,}", holds=most <= limit)
        )
    return found


def _room(samples: Sequence[Sample]) -> Finding:
    """Kilobytes of tables for each flight, in both halves."""
    first, middle, last = samples[max(len(samples) // 10, 1)], samples[len(samples) // 2], samples[-1]
    early, late = _for_a_flight(first, middle), _for_a_flight(middle, last)
    return Finding(
        what="tables, for each flight",
        found=f"{early:.1f} kB in the first half, {late:.1f} kB in the second",
        bound=f"{GROWS_BY_MAX:g} times the first half's",
        holds=late <= GROWS_BY_MAX * early,
    )


def _for_a_flight(earlier: Sample, later: Sample) -> float:
    return 1024 * (later.growing - earlier.growing) / max(later.flights - earlier.flights, 1)


def show(found: Sequence[Finding], minutes: float) -> None:
    table = Table(title=f"{minutes:g} minutes, {PER_S:g} flights/s: the second half", title_justify="left")
    for column in ("what", "found", "bound", "holds"):
        table.add_column(column)
    for finding in found:
        table.add_row(
            finding.what, finding.found, finding.bound, "yes" if finding.holds else "[bold]NO[/bold]"
        )
    Console(width=None if os.isatty(1) else 160).print(table)


if __name__ == "__main__":
    sys.exit(main())
