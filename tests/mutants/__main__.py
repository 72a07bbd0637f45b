"""`python -m tests.mutants [NAME…]`: apply each mutant to a copy and run the tests that must catch it."""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue

from schemas.services import SERVICES
from tests.mutants.catalogue import MUTANTS
from tests.mutants.mutant import DoesNotApply, Mutant
from tests.mutants.trial import ROOT, Copy, Finding, Unusable, forget

# Run when the tests named with a mutant pass. Tests that read the git repository cannot run in a copy.
WIDER = (
    *(
        f"tests/{kind}/{owner}"
        for kind in ("unit", "integration")
        for owner in ("fleet", *sorted(SERVICES))
        if (ROOT / "tests" / kind / owner).is_dir()  # a service that has none yet
    ),
    "tests/integration/promises",
    "tests/system/test_money_path.py",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """The result of one mutant. `caught_by` None: it survived, or it is broken and `problem` says why."""

    mutant: Mutant
    seconds: float
    caught_by: str | None = None
    error: str = ""
    expected: bool = True
    problem: str = ""


def main() -> int:
    options = parse_options()
    chosen = [m for m in MUTANTS if not options.names or m.name in options.names]
    if options.list:
        show([("mutant", "what it breaks"), *((m.name, m.breaks) for m in chosen)])
        return 0
    if unknown := set(options.names) - {m.name for m in chosen}:
        sys.stderr.write(f"no such mutant: {', '.join(sorted(unknown))}; --list names them\n")
        return 2
    began = time.monotonic()
    with copies(options.jobs, options.commit) as trees:
        if failure := unchanged_tree_fails(trees[0], chosen):
            sys.stdout.write(failure)
            return 1
        results = try_all(chosen, trees)
    return summarise(results, time.monotonic() - began)


def parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("names", nargs="*", help="only these mutants")
    parser.add_argument("--list", action="store_true", help="list the mutants and try none")
    parser.add_argument("--commit", help="try a commit, such as HEAD, instead of the working tree")
    parser.add_argument("--jobs", type=int, default=min(2, os.cpu_count() or 1), help="how many at once")
    return parser.parse_args()


@contextmanager
def copies(count: int, commit: str | None) -> Iterator[list[Copy]]:
    folder = Path(tempfile.mkdtemp(prefix="hobbs-mutants-"))
    try:
        yield [Copy(folder / f"copy-{number}", commit) for number in range(max(count, 1))]
    finally:
        forget(folder)


def unchanged_tree_fails(copy: Copy, chosen: Sequence[Mutant]) -> str:
    """Run every catcher on a copy without a mutant; a sentence when one fails, else ""."""
    catchers = sorted({catcher for mutant in chosen for catcher in mutant.catchers})
    try:
        found = copy.run(catchers)
    except Unusable as error:
        return f"without any mutant: {error}\n"
    if found.caught_by:
        return f"without any mutant {found.caught_by} fails, so nothing is proved: {found.error}\n"
    sys.stdout.write(f"without any mutant: {found.passed} tests pass, {found.seconds:.0f} s\n")
    sys.stdout.flush()
    return ""


def try_all(mutants: Sequence[Mutant], trees: Sequence[Copy]) -> list[Result]:
    """Try each mutant in the next free copy; the results are in the order of the mutants."""
    free: SimpleQueue[Copy] = SimpleQueue()
    for copy in trees:
        free.put(copy)

    def attempt(mutant: Mutant) -> Result:
        copy = free.get()
        try:
            return shown(try_one(mutant, copy))
        finally:
            free.put(copy)

    with ThreadPoolExecutor(len(trees)) as pool:
        return list(pool.map(attempt, mutants))


def try_one(mutant: Mutant, copy: Copy) -> Result:
    """Run the mutant's catchers, and if they pass the WIDER tests."""
    began = time.monotonic()
    broken = [edit.path for edit in mutant.edits]
    try:
        with copy.with_mutant(mutant):
            found = copy.run(mutant.catchers, broken=broken)
            expected = found.caught_by is not None
            if not expected:
                found = copy.run(WIDER, broken=broken)
    except (DoesNotApply, Unusable) as error:
        return Result(mutant=mutant, seconds=time.monotonic() - began, problem=str(error))
    return result_of(mutant, found, expected=expected, seconds=time.monotonic() - began)


def result_of(mutant: Mutant, found: Finding, *, expected: bool, seconds: float) -> Result:
    return Result(
        mutant=mutant, seconds=seconds, caught_by=found.caught_by, error=found.error, expected=expected
    )


def shown(result: Result) -> Result:
    """Print the line of a mutant as soon as it is tried."""
    text = result.problem or (f"caught: {result.error}" if result.caught_by else "SURVIVED")
    sys.stdout.write(f"{result.mutant.name}: {text} ({result.seconds:.0f} s)\n")
    sys.stdout.flush()
    return result


def summarise(results: Sequence[Result], seconds: float) -> int:
    """Print the table; 1 when a mutant survived or is broken."""
    rows = [("mutant", "what it breaks", "caught by", "seconds")]
    for v in results:
        caught = v.caught_by or ("BROKEN MUTANT" if v.problem else "NOBODY: IT SURVIVED")
        rows.append((v.mutant.name, v.mutant.breaks, caught, f"{v.seconds:.0f}"))
    sys.stdout.write("\n")
    show(rows)
    missed = [v.mutant.name for v in results if v.caught_by is None and not v.problem]
    broken = [v.mutant.name for v in results if v.problem]
    elsewhere = [v.mutant.name for v in results if v.caught_by and not v.expected]
    count = len(results) - len(missed) - len(broken)
    sys.stdout.write(f"\n{count} of {len(results)} mutants caught, {seconds:.0f} s\n")
    for title, names in (("survived", missed), ("broken", broken), ("caught by another test", elsewhere)):
        if names:
            sys.stdout.write(f"{title}: {', '.join(names)}\n")
    return 1 if missed or broken else 0


def show(rows: Sequence[Sequence[str]]) -> None:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        sys.stdout.write(line.rstrip() + "\n")


if __name__ == "__main__":
    sys.exit(main())
