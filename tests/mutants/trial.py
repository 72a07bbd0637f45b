"""Runs one pytest session in a copy of the tree, with or without a mutant, and reads its result."""

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
# What the tests need in a copy. The virtual environment is shared.
COPIED = ("docs", "fleet", "schemas", "services", "hobbs", "console", "school", "tests", "pyproject.toml")
TRIAL_S_MAX = 600.0
# A test that fails with one of these shows an error in the mutant itself, not a broken rule.
MUTANT_ERRORS = frozenset(
    {"ImportError", "SyntaxError", "NameError", "AttributeError", "TypeError", "ProgrammingError"}
)


class Unusable(Exception):
    """A session that proves nothing about the mutant; the sentence says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """The result of a session: `caught_by` is the test that failed first, None when all passed."""

    passed: int
    caught_by: str | None
    error: str
    seconds: float


class Copy:
    """A copy of the tree's sources; a mutant is applied to it and undone again."""

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
        """Apply a mutant for the block, and undo it after. Raises DoesNotApply."""
        texts = mutated(mutant, self.folder)
        before = {path: (self.folder / path).read_bytes() for path in texts}
        times = {path: (self.folder / path).stat() for path in texts}
        try:
            for path, text in texts.items():
                (self.folder / path).write_text(text, encoding="utf-8")
            yield
        finally:
            for path, content in before.items():
                (self.folder / path).write_bytes(content)
                # With its old time too: else Python could take the mutant's bytecode for the file's.
                os.utime(self.folder / path, ns=(times[path].st_atime_ns, times[path].st_mtime_ns))

    def run(self, tests: Sequence[str], *, broken: Sequence[str] = ()) -> Finding:
        """Run tests until one fails. `broken` are the files a mutant changed. Raises Unusable."""
        began = time.monotonic()
        report, log = self._scratch / "witness.json", self._scratch / "pytest.log"
        report.unlink(missing_ok=True)
        command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "tests.mutants.witness"]
        command += ["-p", "no:cacheprovider", *tests]
        with log.open("w", encoding="utf-8") as output:
            try:
                subprocess.run(
                    command,
                    cwd=self.folder,
                    env=self._environment(report),
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    timeout=TRIAL_S_MAX,
                    check=False,
                )
            except subprocess.TimeoutExpired:
                raise Unusable(f"no end after {TRIAL_S_MAX:g} s; {_tail(log)}") from None
        if not report.exists():
            raise Unusable(f"pytest did not get to its end; {_tail(log)}")
        observed = json.loads(report.read_text(encoding="utf-8"))
        self._refuse_other_code(observed["imported"], broken)
        return finding(observed, time.monotonic() - began)

    def _environment(self, report: Path) -> dict[str, str]:
        return {
            **os.environ,
            "PYTHONPATH": str(self.folder),  # before the environment's own path to the tree
            "PYTHONPYCACHEPREFIX": str(BYTECODE),
            "PYTHONDONTWRITEBYTECODE": "",
            "HOBBS_MUTANTS_WITNESS": str(report),
        }

    def _refuse_other_code(self, imported: dict[str, str], broken: Sequence[str]) -> None:
        """Raise Unusable unless the mutant's files were imported, and none of the real tree."""
        own = str(self.folder.resolve())
        foreign = sorted(f"{name} of {file}" for name, file in imported.items() if not file.startswith(own))
        if foreign:
            raise Unusable(f"code of another tree was imported: {', '.join(foreign[:3])}")
        there = {str(Path(file).relative_to(own)) for file in imported.values()}
        if missing := [path for path in broken if path.endswith(".py") and path not in there]:
            raise Unusable(f"never imported: {', '.join(missing)}")


def forget(folder: Path) -> None:
    """Remove a folder of copies, and their bytecode."""
    shutil.rmtree(BYTECODE / folder.resolve().relative_to("/"), ignore_errors=True)
    shutil.rmtree(folder, ignore_errors=True)


def _unpack(commit: str, folder: Path) -> None:
    packed = subprocess.run(
        ["git", "archive", commit, *COPIED], cwd=ROOT, stdout=subprocess.PIPE, check=True
    ).stdout
    with tarfile.open(fileobj=BytesIO(packed)) as archive:
        archive.extractall(folder, filter="data")


def sources() -> list[Path]:
    """The working tree's files in COPIED, new ones too, without those that git ignores."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", *COPIED],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [Path(name) for name in listed.stdout.splitlines() if (ROOT / name).is_file()]


def finding(observed: dict[str, Any], seconds: float) -> Finding:
    """Read the witness's report. Raises Unusable when the first failure is not in a test's own body."""
    failure = observed["first_failure"]
    if failure is None:
        return Finding(passed=observed["passed"], caught_by=None, error="", seconds=seconds)
    mistakes = MUTANT_ERRORS.intersection(failure["error"])
    if failure["phase"] != "call" or mistakes:
        raise Unusable(f"{failure['phase']} of {failure['test']} broke: {failure['message']}")
    error = f"{failure['error'][0]}: {failure['message'][:100]}"
    return Finding(passed=observed["passed"], caught_by=failure["test"], error=error, seconds=seconds)


def _tail(log: Path) -> str:
    return f"the end of its log: {log.read_text(encoding='utf-8')[-600:]}"
