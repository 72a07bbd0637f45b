"""One pytest session in a copy of the tree, unharmed or with one mutant in it, and what it came to."""

import json
import os
import shutil
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

from tests.mutants.mutant import Mutant, mutated

ROOT = Path(__file__).resolve().parents[2]
BYTECODE = ROOT / ".venv" / "pycache"  # shared with every make target, so that libraries are compiled once
# What a test that is asked has to have beside it. The environment itself is shared.
ROOMS = ("docs", "fleet", "schemas", "services", "hobbs", "school", "tests", "pyproject.toml")
TRIAL_S_MAX = 600.0
# Slips of whoever wrote the mutant, or of who renamed what it names; no promise of ours fails like this.
SLIPS = frozenset(
    {"ImportError", "SyntaxError", "NameError", "AttributeError", "TypeError", "ProgrammingError"}
)


class Unusable(Exception):
    """A session that says nothing about the promise: the sentence says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a session came to: `caught_by` is the test that failed first, None when all passed."""

    passed: int
    caught_by: str | None
    said: str
    seconds: float


class Copy:
    """A copy of the tree's sources, in which mutants are put and taken out again."""

    def __init__(self, folder: Path, commit: str | None = None) -> None:
        """Copy the working tree, or what was committed."""
        self.folder = folder / "tree"
        self._scratch = folder
        self.folder.mkdir(parents=True)
        if commit:
            _unpack(commit, self.folder)
            return
        for path in sources():
            (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / path, self.folder / path)

    @contextmanager
    def with_mutant(self, mutant: Mutant) -> Iterator[None]:
        """Lend the copy with one mutant in it. Raises DoesNotApply."""
        texts = mutated(mutant, self.folder)
        whole = {path: (self.folder / path).read_bytes() for path in texts}
        times = {path: (self.folder / path).stat() for path in texts}
        try:
            for path, text in texts.items():
                (self.folder / path).write_text(text, encoding="utf-8")
            yield
        finally:
            for path, content in whole.items():
                (self.folder / path).write_bytes(content)
                # Its own time again: else the mutant's bytecode could pass for that of the whole file.
                os.utime(self.folder / path, ns=(times[path].st_atime_ns, times[path].st_mtime_ns))

    def run(self, tests: Sequence[str], *, broken: Sequence[str] = ()) -> Finding:
        """Run tests until one fails. `broken` are the files a mutant changed. Raises Unusable."""
        began = time.monotonic()
        told, log = self._scratch / "witness.json", self._scratch / "pytest.log"
        told.unlink(missing_ok=True)
        command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "tests.mutants.witness"]
        command += ["-p", "no:cacheprovider", *tests]
        with log.open("w", encoding="utf-8") as output:
            try:
                subprocess.run(
                    command,
                    cwd=self.folder,
                    env=self._environment(told),
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    timeout=TRIAL_S_MAX,
                    check=False,
                )
            except subprocess.TimeoutExpired:
                raise Unusable(f"no end after {TRIAL_S_MAX:g} s; {_tail(log)}") from None
        if not told.exists():
            raise Unusable(f"pytest did not get to its end; {_tail(log)}")
        seen = json.loads(told.read_text(encoding="utf-8"))
        self._refuse_other_code(seen["imported"], broken)
        return finding(seen, time.monotonic() - began)

    def _environment(self, told: Path) -> dict[str, str]:
        return {
            **os.environ,
            "PYTHONPATH": str(self.folder),  # before the environment's own path to the tree
            "PYTHONPYCACHEPREFIX": str(BYTECODE),
            "PYTHONDONTWRITEBYTECODE": "",
            "HOBBS_MUTANTS_WITNESS": str(told),
        }

    def _refuse_other_code(self, imported: dict[str, str], broken: Sequence[str]) -> None:
        """A mutant proves something only when it, and nothing of the real tree, was imported."""
        own = str(self.folder.resolve())
        foreign = sorted(f"{name} of {file}" for name, file in imported.items() if not file.startswith(own))
        if foreign:
            raise Unusable(f"code of another tree was imported: {', '.join(foreign[:3])}")
        there = {str(Path(file).relative_to(own)) for file in imported.values()}
        if missing := [path for path in broken if path.endswith(".py") and path not in there]:
            raise Unusable(f"never imported: {', '.join(missing)}")


def forget(folder: Path) -> None:
    """Remove a folder of copies, and what was compiled of them."""
    shutil.rmtree(BYTECODE / folder.resolve().relative_to("/"), ignore_errors=True)
    shutil.rmtree(folder, ignore_errors=True)


def _unpack(commit: str, folder: Path) -> None:
    packed = subprocess.run(
        ["git", "archive", commit, *ROOMS], cwd=ROOT, stdout=subprocess.PIPE, check=True
    ).stdout
    with tarfile.open(fileobj=BytesIO(packed)) as archive:
        archive.extractall(folder, filter="data")


def sources() -> list[Path]:
    """What git knows of the rooms, and what is new in them, as it lies in the working tree."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", *ROOMS],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [Path(name) for name in listed.stdout.splitlines() if (ROOT / name).is_file()]


def finding(seen: dict[str, Any], seconds: float) -> Finding:
    """Read what the witness saw. Raises Unusable when the first failure is no test's own."""
    failure = seen["first_failure"]
    if failure is None:
        return Finding(passed=seen["passed"], caught_by=None, said="", seconds=seconds)
    slips = SLIPS.intersection(failure["error"])
    if failure["phase"] != "call" or slips:
        raise Unusable(f"{failure['phase']} of {failure['test']} broke: {failure['said']}")
    said = f"{failure['error'][0]}: {failure['said'][:100]}"
    return Finding(passed=seen["passed"], caught_by=failure["test"], said=said, seconds=seconds)


def _tail(log: Path) -> str:
    return f"its last words: {log.read_text(encoding='utf-8')[-600:]}"
