"""`python -m tests.crash`: kills workers at every fault point and prints the results. `SEEDS=n`: n runs."""

import argparse
import asyncio
import logging
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from tests.crash.drill import OUTSIDE
from tests.crash.registry import all_points
from tests.crash.run import Outcome, run_seed
from tests.crash.servers import running_servers

SEEDS = 3


def main() -> int:
    options = parse_options()
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # the broker is killed on purpose
    seeds = [options.seed] if options.seed is not None else list(range(1, options.seeds + 1))
    folder = Path(tempfile.mkdtemp(prefix="hobbs-crash-"))
    began = time.monotonic()
    with running_servers(folder) as servers:
        outcomes = []
        for seed in seeds:
            outcomes.append(asyncio.run(run_seed(servers, seed, quick=options.quick)))
            show(outcomes[-1])
    failed = summarise(outcomes, time.monotonic() - began)
    if failed:
        sys.stdout.write(f"logs: {folder}\n")
    else:
        shutil.rmtree(folder, ignore_errors=True)
    return 1 if failed else 0


def parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.crash", description=__doc__)
    parser.add_argument("--seeds", type=int, default=int(os.environ.get("SEEDS", SEEDS)))
    parser.add_argument("--seed", type=int, default=_number("SEED"), help="run one seed only")
    parser.add_argument("--quick", action="store_true", help="one death of each service")
    return parser.parse_args()


def _number(name: str) -> int | None:
    return int(os.environ[name]) if os.environ.get(name) else None


def show(outcome: Outcome) -> None:
    """Print a line for each death, then the run's totals."""
    rows = [("point", "service", "end", "also met", "flights", "seconds", "reached")]
    rows += [
        (
            died.death.point,
            died.death.service,
            died.death.action,
            str(len([f for f in died.faults_met if not f.startswith(f"{died.death.point} ")])),
            str(died.flights),
            f"{died.seconds:.1f}",
            "yes" if died.reached else "NO",
        )
        for died in outcome.deaths
    ]
    show_columns(rows)
    doubled = ", ".join(f"{service} {number}" for service, number in outcome.duplicates.items())
    sys.stdout.write(
        f"seed {outcome.seed}: {len(outcome.deaths)} kills, {outcome.counts.flights} flights "
        f"({outcome.counts.duplicates} sent twice, {outcome.counts.reordered} late, "
        f"{outcome.counts.poison} bad), {outcome.counts.corrections} corrections, "
        f"{outcome.counts.cancellations} cancellations, "
        f"{outcome.counts.payments} payments, {outcome.decisions} decisions, "
        f"{outcome.effects} effects at Stripe, "
        f"events published again: {doubled}; drained in {outcome.drained_s:.0f} s, "
        f"{len(outcome.violations)} violations, {outcome.seconds:.0f} s\n"
    )
    for violation in outcome.violations[:50]:
        sys.stdout.write(f"  {violation}\n")
    sys.stdout.flush()


def show_columns(rows: Sequence[Sequence[str]]) -> None:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        sys.stdout.write(line.rstrip() + "\n")


def summarise(outcomes: Sequence[Outcome], seconds: float) -> bool:
    """Print the totals of all runs; True when anything was wrong."""
    deaths = [died for outcome in outcomes for died in outcome.deaths]
    reached = {died.death.point for died in deaths if died.reached} - set(OUTSIDE)
    points = reached | {point.partition(":")[0] for point in reached}
    wrong = sum(len(outcome.violations) for outcome in outcomes)
    sys.stdout.write(
        f"{len(outcomes)} seeds, {len(deaths)} kills at {len(points)} of {len(all_points())} points "
        f"and {len(OUTSIDE)} places outside the code, {sum(len(d.faults_met) for d in deaths)} faults met, "
        f"{sum(o.counts.flights for o in outcomes)} flights, {sum(o.effects for o in outcomes)} effects, "
        f"{wrong} violations, {seconds:.0f} s\n"
    )
    return wrong > 0


if __name__ == "__main__":
    sys.exit(main())
