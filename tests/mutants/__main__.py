"""`python -m tests.mutants [NAME…]`: break the promise in small ways, and see the suite catch each one."""

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

# Asked when the tests named with a mutant let it pass. What reads the repository itself has no copy of it.
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
class Verdict:
    """What became of one mutant. `caught_by` None: it survived, or (with `problem`) it says nothing."""

    mutant: Mutant
    seconds: float
    caught_by: str | None = None
    said: str = ""
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
    with copies(options.jobs, options.commit) as lent:
        if complaint := whole_tree_fails(lent[0], chosen):
            sys.stdout.write(complaint)
            return 1
        verdicts = try_all(chosen, lent)
    return summarise(verdicts, time.monotonic() - began)


def parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("names", nargs="*", help="only these mutants")
    parser.add_argument("--list", action="store_true", help="name the mutants and try none")
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


def whole_tree_fails(copy: Copy, chosen: Sequence[Mutant]) -> str:
    """Run every test that is to catch something on an unharmed copy; a complaint when one is not green."""
    catchers = sorted({catcher for mutant in chosen for catcher in mutant.catchers})
    try:
        found = copy.run(catchers)
    except Unusable as error:
        return f"without any mutant: {error}\n"
    if found.caught_by:
        return f"without any mutant {found.caught_by} fails, so nothing is proved: {found.said}\n"
    sys.stdout.write(f"without any mutant: {found.passed} tests pass, {found.seconds:.0f} s\n")
    sys.stdout.flush()
    return ""


def try_all(mutants: Sequence[Mutant], lent: Sequence[Copy]) -> list[Verdict]:
    """Try each mutant in the next copy that is free; what came of them, in their order."""
    free: SimpleQueue[Copy] = SimpleQueue()
    for copy in lent:
        free.put(copy)

    def attempt(mutant: Mutant) -> Verdict:
        copy = free.get()
        try:
            return tell(try_one(mutant, copy))
        finally:
            free.put(copy)

    with ThreadPoolExecutor(len(lent)) as pool:
        return list(pool.map(attempt, mutants))


def try_one(mutant: Mutant, copy: Copy) -> Verdict:
    """Ask the tests named, and then all the others, whether they notice the mutant."""
    began = time.monotonic()
    broken = [edit.path for edit in mutant.edits]
    try:
        with copy.with_mutant(mutant):
            found = copy.run(mutant.catchers, broken=broken)
            expected = found.caught_by is not None
            if not expected:
                found = copy.run(WIDER, broken=broken)
    except (DoesNotApply, Unusable) as error:
        return Verdict(mutant=mutant, seconds=time.monotonic() - began, problem=str(error))
    return judged(mutant, found, expected=expected, seconds=time.monotonic() - began)


def judged(mutant: Mutant, found: Finding, *, expected: bool, seconds: float) -> Verdict:
    return Verdict(
        mutant=mutant, seconds=seconds, caught_by=found.caught_by, said=found.said, expected=expected
    )


def tell(verdict: Verdict) -> Verdict:
    """One line as soon as a mutant's fate is known."""
    fate = verdict.problem or (f"caught: {verdict.said}" if verdict.caught_by else "SURVIVED")
    sys.stdout.write(f"{verdict.mutant.name}: {fate} ({verdict.seconds:.0f} s)\n")
    sys.stdout.flush()
    return verdict


def summarise(verdicts: Sequence[Verdict], seconds: float) -> int:
    """Print the table; 1 when a mutant survived or says nothing."""
    rows = [("mutant", "what it breaks", "caught by", "seconds")]
    for v in verdicts:
        caught = v.caught_by or ("BROKEN MUTANT" if v.problem else "NOBODY: IT SURVIVED")
        rows.append((v.mutant.name, v.mutant.breaks, caught, f"{v.seconds:.0f}"))
    sys.stdout.write("\n")
    show(rows)
    missed = [v.mutant.name for v in verdicts if v.caught_by is None and not v.problem]
    broken = [v.mutant.name for v in verdicts if v.problem]
    elsewhere = [v.mutant.name for v in verdicts if v.caught_by and not v.expected]
    count = len(verdicts) - len(missed) - len(broken)
    sys.stdout.write(f"\n{count} of {len(verdicts)} mutants caught, {seconds:.0f} s\n")
    for word, names in (("survived", missed), ("broken", broken), ("caught by another test", elsewhere)):
        if names:
            sys.stdout.write(f"{word}: {', '.join(names)}\n")
    return 1 if missed or broken else 0


def show(rows: Sequence[Sequence[str]]) -> None:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        sys.stdout.write(line.rstrip() + "\n")


if __name__ == "__main__":
    sys.exit(main())
