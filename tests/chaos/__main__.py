"""`python -m tests.chaos`: all faults at once. `SEED=n` repeats a printed seed, `SEEDS=n` runs several."""

import argparse
import asyncio
import logging
import os
import secrets
import shutil
import sys
import tempfile
from collections import Counter
from pathlib import Path

from tests.chaos.run import DISTURBANCES, FLIGHTS, Report, run_seed
from tests.crash.servers import running_servers


def main() -> int:
    options = parse_options()
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # the broker is killed on purpose
    first = options.seed if options.seed is not None else secrets.randbelow(1_000_000)
    folder = Path(tempfile.mkdtemp(prefix="hobbs-chaos-"))
    wrong = 0
    with running_servers(folder) as servers:
        for seed in range(first, first + options.seeds):
            sys.stdout.write(f"seed {seed}\n")
            sys.stdout.flush()
            report = asyncio.run(run_seed(servers, seed, flights=options.flights, times=options.disturbances))
            show(report)
            wrong += len(report.violations)
    if wrong:
        sys.stdout.write(f"again: make chaos SEED={first}; logs: {folder}\n")
    else:
        shutil.rmtree(folder, ignore_errors=True)
    return 1 if wrong else 0


def parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    seed = os.environ.get("SEED")
    parser.add_argument("--seed", type=int, default=int(seed) if seed else None)
    parser.add_argument("--seeds", type=int, default=int(os.environ.get("SEEDS") or 1))
    parser.add_argument("--flights", type=int, default=FLIGHTS)
    parser.add_argument("--disturbances", type=int, default=DISTURBANCES)
    return parser.parse_args()


def show(report: Report) -> None:
    counts = report.counts
    sys.stdout.write(
        f"seed {report.seed}: {counts.flights} flights ({counts.duplicates} sent twice, "
        f"{counts.reordered} late, {counts.poison} bad, {counts.mended} of them sent again as they were "
        f"flown), {counts.corrections} corrections, "
        f"{counts.cancellations} cancellations, {counts.payments} payments, "
        f"{report.effects} effects at Stripe\n"
        f"  disturbances: {listed(report.disturbances)}\n"
        f"  faults at Stripe: {listed(report.stripe_faults)}\n"
        f"  webhooks: {listed(report.webhooks)}; {report.recovered} found in Stripe's list of events\n"
        f"  events published again: {listed(Counter(report.duplicates))}\n"
        f"  drained in {report.drained_s:.0f} s, {len(report.violations)} violations, "
        f"{report.seconds:.0f} s\n"
    )
    for violation in report.violations[:50]:
        sys.stdout.write(f"    {violation}\n")
    sys.stdout.flush()


def listed(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {number}" for name, number in sorted(counts.items()) if number) or "none"


if __name__ == "__main__":
    sys.exit(main())
