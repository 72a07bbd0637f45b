"""`hobbs shadow diff` over many flights: its processor time, its wall-clock time and its memory.

The past is written by SQL (shadow_past.sql), the other system's figures by this process: two flights of a
hundred differ. HOBBS_BENCH_FLIGHTS says how many flights; limits are for a million, in proportion.
"""

import asyncio
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.figures import Figure, at_most
from bench.servers import Deployment, deployed
from hobbs.local.stack import Stack

FLIGHTS: Final = int(os.environ.get("HOBBS_BENCH_FLIGHTS", "100000"))
MILLION: Final = 1_000_000
MILLION_S, MEMORY_MIB = 60.0, 300.0
DIFFERING: Final = 50  # each of so many flights is another amount there
PAST: Final = Path(__file__).with_name("shadow_past.sql")


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A command that ended: seconds by the clock and of processor, its peak of memory, its last words."""

    took_s: float
    used_s: float
    peak_mib: float
    exit_code: int
    said: str


async def measure(stack: Stack) -> list[Figure]:
    """Write the past and the figures, then run the command once."""
    async with deployed(stack) as deployment:
        owner = await deployment.connect()
        past = PAST.read_text(encoding="utf-8").replace("100000", str(FLIGHTS))
        await owner.execute(past, timeout=1_200)
        await owner.execute("VACUUM (ANALYZE) billing.bill", timeout=600)
        await owner.close()
        file = deployment.fleet.folder / "figures.csv"
        await asyncio.to_thread(write_figures, file)
        ran = await asyncio.to_thread(hobbs, deployment, "shadow", "diff", str(file), "--by-month")
    if f"{FLIGHTS} flights compared, {-(-FLIGHTS // DIFFERING)} differ" not in ran.said:
        raise AssertionError(f"hobbs shadow diff exited with {ran.exit_code} and said: {ran.said}")
    return figures(ran)


def write_figures(file: Path) -> None:
    """The same flights as shadow_past.sql has, in another order; some cents more for some of them."""
    with file.open("w", encoding="utf-8") as out:
        out.write("flight_id,date,student,instructor,owner\n")
        for number in range(FLIGHTS, 0, -1):
            student = "300.01" if number % DIFFERING == 0 else "300.00"
            out.write(f"past-{number},,{student},80.00,120.00\n")


def hobbs(deployment: Deployment, *arguments: str, owner_url: str = "") -> Run:
    """Run a command as a process of its own, logged in as the operator."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HOBBS_")}
    environment |= deployment.fleet.environment("operator") | {"HOBBS_OWNER_DATABASE_URL": owner_url}
    said = deployment.fleet.folder / f"{arguments[0]}.txt"
    began = time.monotonic()
    with said.open("wb") as out:
        streams = [(os.POSIX_SPAWN_DUP2, out.fileno(), 1), (os.POSIX_SPAWN_DUP2, out.fileno(), 2)]
        command = [sys.executable, "-m", "hobbs", *arguments]
        pid = os.posix_spawn(sys.executable, command, environment, file_actions=streams)
        _, status, usage = os.wait4(pid, 0)
    return Run(
        took_s=time.monotonic() - began,
        used_s=usage.ru_utime + usage.ru_stime,
        peak_mib=usage.ru_maxrss / 1024,
        exit_code=os.waitstatus_to_exitcode(status),
        said=said.read_text(encoding="utf-8"),
    )


def figures(ran: Run) -> list[Figure]:
    how = f"{FLIGHTS:,} flights, one in {DIFFERING} differs by a cent; {ran.used_s:.1f} s of processor"
    return [
        Figure(
            name="hobbs shadow diff, seconds for a million flights",
            value=ran.took_s * MILLION / FLIGHTS,
            unit="s",
            limit=at_most(MILLION_S),
            note=how,
        ),
        Figure(
            name="hobbs shadow diff, memory",
            value=ran.peak_mib,
            unit="MiB, most",
            limit=at_most(MEMORY_MIB),
            note=how,
        ),
    ]
