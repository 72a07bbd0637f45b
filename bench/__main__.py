"""`make bench`: runs the measurements on its own servers, prints a table, writes JSON and a chart.

Names of measurements on the command line run only those. Exit 0 when every limit is met, 1 otherwise.
"""

import argparse
import importlib
import sys
import time
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import uvloop

from bench import figures
from bench.figures import Figure
from bench.servers import running_servers
from hobbs.local.stack import Stack

MEASUREMENTS = (
    *("posting", "growth", "path", "stripe_relay", "reads", "corrections", "outbox_relay", "replay"),
    *(
        "reconcile",
        "ageing",
        "dunning",
        "credit",
        "dispatches",
        "console",
        "shadow",
        "shadow_replay",
        "rebuild",
    ),
)
# Only when asked for by name: it takes a quarter of an hour, and starts servers of its own.
APART = ("small",)
OUTPUT = Path("build/bench")


def measurement(name: str) -> Callable[[Stack], Coroutine[Any, Any, list[Figure]]]:
    """`measure` of bench/<name>.py."""
    measure: Callable[[Stack], Coroutine[Any, Any, list[Figure]]] = importlib.import_module(
        f"bench.{name}"
    ).measure
    return measure


def main() -> int:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument(
        "names", nargs="*", choices=[*MEASUREMENTS, *APART, []], metavar="NAME", help="only these"
    )
    parser.add_argument("--output", type=Path, default=OUTPUT, help="folder for bench.json, .md and .svg")
    asked = parser.parse_args()
    facts = {"date": datetime.now(UTC).isoformat(timespec="seconds"), "machine": figures.machine()}
    found: dict[str, list[Figure]] = {}
    began = time.monotonic()
    names = asked.names or MEASUREMENTS
    for name in [name for name in names if name in APART]:
        found[name] = importlib.import_module(f"bench.{name}").measure()
    if together := [name for name in names if name not in APART]:
        with running_servers() as stack:
            for name in together:
                started = time.monotonic()
                found[name] = uvloop.run(measurement(name)(stack))
                figures.show(found[name], f"{name} ({time.monotonic() - started:.0f} s)")
    took = round(time.monotonic() - began)
    everything = [figure for some in found.values() for figure in some]
    figures.write(asked.output, found, facts | {"took_s": took})
    figures.show(everything, f"{facts['machine']}, fsync on, {took} s")
    return 0 if all(figure.met is not False for figure in everything) else 1


if __name__ == "__main__":
    sys.exit(main())
