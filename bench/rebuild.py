"""`hobbs rebuild billing` over many flights, beside the rate at which billing handled the same flights fresh.

HOBBS_BENCH_FLIGHTS says how many: 20,000 unless told, a million for docs/performance.md. The rate of the
command is that of the whole command: making the schema, reading, handling, and comparing both sides.
"""

import asyncio
import os
import time
from typing import Any, Final

from bench.corrections import _flight, _produce
from bench.figures import Figure, at_least, at_most
from bench.flights import school, until
from bench.servers import Deployment, deployed
from bench.shadow import MEMORY_MIB, Run, hobbs
from hobbs.demo.school import run_hobbs
from hobbs.local.stack import Stack

FLIGHTS: Final = int(os.environ.get("HOBBS_BENCH_FLIGHTS", "20000"))
AT_ONCE: Final = 10_000  # produced
SHARE_OF_FRESH: Final = 0.8
WITHIN_S: Final = 3_600.0
_BILLS: Final = "SELECT count(*) FROM billing.bill"


async def measure(stack: Stack) -> list[Figure]:
    """Bill the flights once by the worker and once by the command."""
    async with deployed(stack) as deployment:
        await publish_waiting(deployment, FLIGHTS)
        owner = await deployment.connect()
        try:
            workers = deployment.start("billing")
            begun, began = await owner.fetchval(_BILLS), time.monotonic()
            await until(owner, _BILLS, FLIGHTS, WITHIN_S)
            fresh = (FLIGHTS - begun) / (time.monotonic() - began)
            deployment.stop(workers)
        finally:
            await owner.close()
        made = await asyncio.to_thread(
            hobbs, deployment, "rebuild", "billing", owner_url=deployment.fleet.owner_url
        )
    if made.exit_code:
        raise AssertionError(f"hobbs rebuild exited with {made.exit_code} and said: {made.said}")
    return figures(made, fresh)


async def publish_waiting(deployment: Deployment, flights: int) -> None:
    """Open a school, then publish flights while no worker runs: they wait in Kafka."""
    workers = deployment.start("billing")
    await _open_school(deployment)
    deployment.stop(workers)
    for first in range(0, flights, AT_ONCE):
        last = min(first + AT_ONCE, flights)
        await _produce(deployment, "flight.completed", [_numbered(n) for n in range(first, last)])


def _numbered(number: int) -> dict[str, Any]:
    """One of 20,000 flights, under an id of its own: a meter has no more digits."""
    return _flight(number % 20_000) | {"flight_id": f"r-{number}"}


async def _open_school(deployment: Deployment) -> None:
    file = deployment.fleet.folder / "school.toml"
    file.write_text(school(), encoding="utf-8")
    command = ("school", "apply", str(file), "--yes", "--no-wait", "--who", "bench", "--why", "to measure")
    await asyncio.to_thread(run_hobbs, deployment.fleet, *command)
    owner = await deployment.connect()
    try:
        await until(owner, "SELECT version FROM billing.book", 1)
    finally:
        await owner.close()


def figures(made: Run, fresh: float) -> list[Figure]:
    how = f"{FLIGHTS:,} flights; {made.used_s:.1f} s of processor, compared row by row"
    return [
        Figure(
            name="hobbs rebuild billing, as a share of flights billed fresh",
            value=FLIGHTS / made.took_s / fresh,
            unit="of it",
            limit=at_least(SHARE_OF_FRESH),
            baseline=("flights billed fresh by one worker, flights/s", fresh),
            note=f"{FLIGHTS / made.took_s:,.0f} flights/s; {how}",
        ),
        Figure(
            name="hobbs rebuild billing, memory",
            value=made.peak_mib,
            unit="MiB, most",
            limit=at_most(MEMORY_MIB),
            note=how,
        ),
    ]
