"""Flights replayed into a shadow, beside the rate at which billing and the ledger handled them fresh.

HOBBS_BENCH_FLIGHTS says how many: 20,000 unless told, a million for docs/performance.md. Fresh are a process
of billing and one of the ledger; the shadow has two processes too, of all its services each, which decide
transfers as well (HOBBS_BENCH_SHADOWS: another number). Both rates are from the first journal to the last.
"""

import asyncio
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import asyncpg

from bench.figures import Figure, at_least, at_most
from bench.flights import until
from bench.processes import Shares, footprint, percentages, pids
from bench.rebuild import SHARE_OF_FRESH, WITHIN_S, publish_waiting
from bench.servers import Deployment, deployed
from bench.shadow import MEMORY_MIB
from hobbs.local import fork_server
from hobbs.local.child import Child
from hobbs.local.fleet_processes import Fleet
from hobbs.local.running_fleet import create_topics
from hobbs.local.stack import Stack
from schemas.shadow import SHADOW, SHADOWED

FLIGHTS: Final = int(os.environ.get("HOBBS_BENCH_FLIGHTS", "20000"))
PROCESSES: Final = int(os.environ.get("HOBBS_BENCH_SHADOWS", "2"))
_POSTED: Final = "SELECT count(*) FROM ledger.journal WHERE event_type = 'flight'"


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Flights a second, the peak of the largest process in MiB, and who used how much of a core."""

    per_s: float
    peak_mib: float
    used: str


async def measure(stack: Stack) -> list[Figure]:
    """Handle the flights once by billing and ledger, and once by a shadow beside them."""
    async with deployed(stack) as deployment:
        await publish_waiting(deployment, FLIGHTS)
        workers = [*deployment.start("billing"), *deployment.start("ledger")]
        fresh = await _run(deployment, deployment.fleet.owner_url, workers)
        deployment.stop()
        shadow = await _shadow(deployment)
        children = [_at_work(shadow, number) for number in range(PROCESSES)]
        deployment.workers.extend(children)
        replayed = await _run(deployment, shadow.owner_url, children)
    return figures(fresh, replayed)


async def _run(deployment: Deployment, owner_url: str, workers: Sequence[Child]) -> Run:
    """From the first journal that is there to the last."""
    owner = await asyncpg.connect(owner_url)
    try:
        shares = Shares(pids(deployment.stack, workers))
        await until(owner, _POSTED, 1, WITHIN_S)
        begun, began = await owner.fetchval(_POSTED), time.monotonic()
        await until(owner, _POSTED, FLIGHTS, WITHIN_S)
        per_s = (FLIGHTS - begun) / (time.monotonic() - began)
    finally:
        await owner.close()
    peak = max(footprint(child.pid).peak for child in workers)
    return Run(per_s=per_s, peak_mib=peak, used=percentages(shares.look()))


async def _shadow(deployment: Deployment) -> Fleet:
    """The shadow's database and topics; it follows the live school's book."""
    live, name = deployment.fleet, f"{deployment.fleet.topic_prefix.rstrip('.')}_shadow"
    connection = await asyncpg.connect(deployment.stack.postgres.url())
    await connection.execute(f"CREATE DATABASE {name}")
    await connection.close()
    url, prefix = deployment.stack.postgres.url(name), f"{live.topic_prefix}shadow."
    await create_topics(live.kafka_bootstrap, prefix)
    shadow = replace(live, owner_url=url, topic_prefix=prefix)
    command = ("migrate", "--no-topics", "--share-roles", "--shadow-of", live.topic_prefix)
    asked = {**os.environ, **shadow.environment("operator"), "HOBBS_DATABASE_URL": url}
    done = await asyncio.to_thread(fork_server.run, "hobbs", command, asked)
    if done.returncode:
        raise AssertionError(f"hobbs migrate exited with {done.returncode} and said: {done.stderr}")
    return shadow


def _at_work(shadow: Fleet, number: int) -> Child:
    nothing = {name: "" for name in os.environ if name.startswith("HOBBS_")}
    urls = {f"HOBBS_{name.upper()}_DATABASE_URL": shadow.database_url(name) for name in SHADOWED}
    where = {"HOBBS_KAFKA_BOOTSTRAP": shadow.kafka_bootstrap, "HOBBS_TOPIC_PREFIX": shadow.topic_prefix}
    return Child.start_module(
        f"{SHADOW} {number}",
        "hobbs",
        *("work", SHADOW),
        log=shadow.folder / "logs" / f"shadow.{number}.log",
        environment={**nothing, **urls, **where},
    )


def figures(fresh: Run, replayed: Run) -> list[Figure]:
    how = f"{FLIGHTS:,} flights, {PROCESSES} processes; {replayed.used}"
    return [
        Figure(
            name="flights replayed into a shadow, as a share of flights handled fresh",
            value=replayed.per_s / fresh.per_s,
            unit="of it",
            limit=at_least(SHARE_OF_FRESH),
            baseline=("flights billed and posted fresh, flights/s", fresh.per_s),
            note=f"{replayed.per_s:,.0f} flights/s; {how}; fresh: {fresh.used}",
        ),
        Figure(
            name="flights replayed into a shadow, memory",
            value=replayed.peak_mib,
            unit="MiB, most",
            limit=at_most(MEMORY_MIB),
            note=how,
        ),
    ]
