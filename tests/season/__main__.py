"""`python -m tests.season`: seasons of students' accounts. `SEED=n` plays one again, `SEEDS=n` plays more."""

import argparse
import asyncio
import os
import secrets
import signal
import sys
import tempfile
from collections import Counter
from pathlib import Path

from hobbs.local.ports import free_port
from hobbs.local.postgres import prepare_postgres, start_postgres, wait_for_postgres
from hobbs.local.stack import start_simulator, wait_for_simulator
from tests.season.run import MOVES, Report, run_season
from tests.support.databases import Cluster, cloned, make_template
from tests.support.stripe import emptied

DAYS, STUDENTS, ACTS = 40, 5, 4
ENOUGH = 5  # seasons in which limits rise and fall in each manner; one in five lacks one


def main() -> int:
    options = parse_options()
    first = options.seed if options.seed is not None else secrets.randbelow(1_000_000)
    with tempfile.TemporaryDirectory(prefix="hobbs-season-") as folder:
        wrong = asyncio.run(play(options, first, Path(folder)))
    if wrong:
        sys.stdout.write(f"again: make season SEED={wrong[0]}\n")
    return 1 if wrong else 0


async def play(options: argparse.Namespace, first: int, folder: Path) -> list[int]:
    """The seeds of which something is not as calculated."""
    log = folder / "postgres.log"
    prepare_postgres(folder / "postgres", log)
    server = start_postgres(folder / "postgres", port=free_port(), log=log, settings=["fsync=off"])
    simulator = start_simulator(folder / "stripe", port=free_port(), log=folder / "stripe.log")
    wrong: list[int] = []
    moved: Counter[str] = Counter()
    try:
        wait_for_postgres(server)
        wait_for_simulator(simulator)
        cluster = Cluster(url=server.url())
        template = await make_template(cluster)
        for seed in range(first, first + options.seeds):
            async with cloned(cluster, template) as url:
                with emptied(simulator) as stripe:
                    report = await run_season(
                        seed,
                        url,
                        stripe.api_base,
                        stripe.secret_key,
                        days=options.days,
                        students=options.students,
                        acts=options.acts,
                    )
            show(report)
            moved += report.moved
            if report.differences:
                wrong.append(seed)
    finally:
        simulator.child.kill()
        server.child.signal(signal.SIGQUIT)
        server.child.wait(10)
    missing = [kind for kind in MOVES if not moved[kind]]
    if options.days >= DAYS and options.seeds >= ENOUGH and missing:  # then nothing was compared
        sys.stdout.write(f"of the limits none {', none '.join(missing)}\n")
        return wrong or [first]
    return wrong


def parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.season", description=__doc__)
    seed = os.environ.get("SEED")
    parser.add_argument("--seed", type=int, default=int(seed) if seed else None)
    parser.add_argument("--seeds", type=int, default=int(os.environ.get("SEEDS") or 1))
    parser.add_argument("--days", type=int, default=DAYS)
    parser.add_argument("--students", type=int, default=STUDENTS)
    parser.add_argument("--acts", type=int, default=ACTS)
    return parser.parse_args()


def show(report: Report) -> None:
    kinds = ", ".join(f"{kind} {number}" for kind, number in report.kinds.items())
    charges = ", ".join(f"{number} {state}" for state, number in report.charges.items()) or "none"
    sys.stdout.write(
        f"seed {report.seed}: {report.acts} acts ({kinds})\n"
        f"  charges of saved methods: {charges}; {report.steps} steps of dunning; "
        f"{len(report.differences)} differences\n"
        f"  limits: {', '.join(f'{kind} {number}' for kind, number in sorted(report.moved.items()))}\n"
    )
    for difference in report.differences[:20]:
        sys.stdout.write(f"    {difference}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
