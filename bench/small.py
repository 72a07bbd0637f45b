"""What a school's whole fleet and a flight cost, beside the build at a named commit, in turns in one run.

Both builds run as processes of their own from their own folder and environment: this one from here, the
baseline from a worktree in build/baseline. A figure is this build's as a share of the baseline's.
"""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

from bench.figures import Figure, Limit, at_least, at_most
from bench.processes import family, used_s

BASELINE = "d16077e"
FOLDER = Path("build/baseline")
TURNS = 1
SETTLE_S, AT_REST_S = 20.0, 30.0
READY_WITHIN_S, STOPS_WITHIN_S = 180.0, 60.0
PATH_PER_S = 50.0
SERVERS = ("postgres", "kafka", "stripe", "bench")  # not Hobbs' own processes
_SHARE = re.compile(r"(\w+) (\d+) %")
_KIB = 1024
_BY_SQL = """
import uvloop
from bench import posting
from bench.servers import running_servers
by_sql = getattr(posting, "posted_by_sql_function", None) or posting.posted_by_hand  # the baseline's name
with running_servers() as stack:
    print("by function:", uvloop.run(by_sql(stack)))
"""


class NoBaseline(Exception):
    """The named commit is not in this clone; the message says how to get it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """A build in a folder with a ready environment."""

    folder: Path

    @property
    def python(self) -> Path:
        return self.folder / ".venv" / "bin" / "python"

    @property
    def hobbs(self) -> Path:
        return self.folder / ".venv" / "bin" / "hobbs"

    def run(self, *command: str | Path) -> str:
        """A command's output. The bench ends with 1 when a limit is missed, which is no failure here."""
        done = subprocess.run(
            command, cwd=self.folder, env=_environment(), capture_output=True, text=True, check=False
        )
        if done.returncode not in (0, 1):
            raise RuntimeError(
                f"{command} in {self.folder} ended with {done.returncode}: {done.stderr[-2000:]}"
            )
        return done.stdout


@dataclass(frozen=True, slots=True, kw_only=True)
class AtRest:
    """A fleet that `hobbs up` keeps: MiB (PSS) and share of a core of its services, seconds to ready."""

    memory: float
    processor: float
    ready_s: float


def measure() -> list[Figure]:
    """Every row of the table: both builds in turns, the baseline first."""
    builds = {"baseline": baseline(), "here": Build(folder=Path.cwd())}
    found: dict[str, list[dict[str, float]]] = {name: [] for name in builds}
    for _ in range(TURNS):
        for name, build in builds.items():
            found[name].append(look(build))
    return figures(found["here"], found["baseline"])


def look(build: Build) -> dict[str, float]:
    """One turn of a build."""
    rest = at_rest(build)
    began = time.monotonic()
    build.run(build.hobbs, "demo")
    demo_s = time.monotonic() - began
    return path(build) | {
        "memory": rest.memory,
        "processor": rest.processor,
        "ready": rest.ready_s,
        "demo": demo_s,
        "by_sql": by_sql(build),
    }


def baseline() -> Build:
    """The build at the named commit, in a worktree that stays for the next run."""
    if not (FOLDER / ".git").exists():
        made = subprocess.run(
            ["git", "worktree", "add", "--force", "--detach", str(FOLDER), BASELINE],
            capture_output=True,
            text=True,
            check=False,
        )
        if made.returncode:
            raise NoBaseline(
                f"no build of {BASELINE} to compare with: {made.stderr.strip()}; a clone with its whole "
                "history has it (git fetch --unshallow)"
            )
    build = Build(folder=FOLDER.resolve())
    build.run(sys.executable, "bootstrap.py")
    return build


def path(build: Build) -> dict[str, float]:
    """The figures of the path: rate, processor for a flight, and bytes that a flight leaves."""
    with tempfile.TemporaryDirectory(prefix="hobbs-bench-") as output:
        build.run(build.python, "-m", "bench", "path", "--output", output)
        rows = json.loads((Path(output) / "bench.json").read_text())["measurements"]["path"]
    named = {row["name"]: row for row in rows}
    shares = dict(_SHARE.findall(named["flight to Stripe's 2xx, 99th percentile"]["note"]))
    ours = sum(int(share) for name, share in shares.items() if name not in SERVERS)
    return {
        "median": named["flight to Stripe's 2xx, median"]["value"],
        "rate": next(row["value"] for name, row in named.items() if "highest rate sustained" in name),
        "flight": 10 * ours / PATH_PER_S,
        "postgres": named["size of a million flights, Postgres"]["value"],
        "kafka": named["size of a million flights, Kafka"]["value"],
    }


def by_sql(build: Build) -> float:
    """Journals a second by post_journal_with_locks(), a commit each."""
    said = build.run(build.python, "-W", "ignore", "-c", _BY_SQL)
    return float(said.rpartition("by function:")[2])


def at_rest(build: Build) -> AtRest:
    """What `hobbs up` needs: a first start makes the data, a second is timed and looked at."""
    with tempfile.TemporaryDirectory(prefix="hobbs-bench-") as data:
        with running(build, Path(data)):
            pass
        with running(build, Path(data)) as (pid, ready_s):
            time.sleep(SETTLE_S)
            services = workers(pid)
            before, began = _used(services), time.monotonic()
            memory = sum(map(proportional_mib, [*services, *forked_from(pid)]))
            time.sleep(AT_REST_S)
            processor = (_used(services) - before) / (time.monotonic() - began)
    return AtRest(memory=memory, processor=processor, ready_s=ready_s)


@contextmanager
def running(build: Build, data: Path) -> Iterator[tuple[int, float]]:
    """`hobbs up` of a build: its process and the seconds until it said that it is up."""
    began = time.monotonic()
    with (data / "bench.log").open("w") as log:
        started = subprocess.Popen(
            [build.hobbs, "up", "--data", data / "fleet"],
            cwd=build.folder,
            env=_environment() | {"PYTHONUNBUFFERED": "1"},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        while "Hobbs is up" not in (data / "bench.log").read_text():
            if started.poll() is not None or time.monotonic() - began > READY_WITHIN_S:
                raise RuntimeError(f"hobbs up is not ready: {(data / 'bench.log').read_text()[-2000:]}")
            time.sleep(0.05)
        yield started.pid, time.monotonic() - began
    finally:
        started.send_signal(signal.SIGTERM)
        started.wait(STOPS_WITHIN_S)


def workers(pid: int) -> list[int]:
    """The processes of services below this one: by their command, or by their name where they are forked.

    Raises RuntimeError: there is none.
    """
    found = [
        one for one in family(pid) if b"\x00work\x00" in _command(one) or _name(one).startswith("hobbs work")
    ]
    if not found:
        raise RuntimeError(f"process {pid} has no process of a service below it")
    return found


def forked_from(pid: int) -> list[int]:
    """The process that services below this one are forked from, and share memory with, if there is one."""
    return [
        one
        for one in family(pid)
        if b"hobbs.local.fork_server" in _command(one) and _name(one).startswith("python")
    ]


def proportional_mib(pid: int) -> float:
    """Proportional set size: what processes share counts once."""
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in rollup if line.startswith("Pss:")) / _KIB


def _name(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text()
    except OSError:
        return ""


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""


def _used(pids: Sequence[int]) -> float:
    return sum(map(used_s, pids))


def _environment() -> dict[str, str]:
    """This environment without what is meant for one build."""
    kept = ("PYTHONPYCACHEPREFIX", "VIRTUAL_ENV", "MAKEFLAGS")
    return {n: v for n, v in os.environ.items() if not n.startswith("HOBBS_") and n not in kept}


# name, key, unit of both figures, limit as a share of the baseline if there is one
_ROWS: Sequence[tuple[str, str, str, Limit | None]] = (
    ("resident memory of the fleet at rest", "memory", "MiB", at_most(0.4)),
    ("processor of the fleet at rest", "processor", "of a core", at_most(0.3)),
    ("flights to Stripe, highest rate sustained", "rate", "flights/s", at_least(2)),
    ("processor for a flight, all services", "flight", "ms", at_most(0.6)),
    ("Postgres for a million flights", "postgres", "GB", at_most(0.55)),
    ("Kafka for a million flights", "kafka", "GB", at_most(0.45)),
    ("`hobbs up` to ready, kept data", "ready", "s", at_most(0.5)),
    ("`hobbs demo`", "demo", "s", at_most(0.6)),
    ("journals by SQL, one connection", "by_sql", "journals/s", at_least(1.4)),
    ("flight to Stripe's 2xx, median", "median", "ms", None),
)


def figures(here: Sequence[Mapping[str, float]], there: Sequence[Mapping[str, float]]) -> list[Figure]:
    """Each row's share of the baseline: the means of all turns."""

    def each(turns: Sequence[Mapping[str, float]], key: str) -> str:
        return " and ".join(f"{turn[key]:.3g}" for turn in turns)

    def average(turns: Sequence[Mapping[str, float]], key: str) -> float:
        return mean(turn[key] for turn in turns)

    def share(key: str) -> float:
        return average(here, key) / average(there, key)

    return [
        Figure(
            name=name,
            value=share(key),
            unit=f"of {BASELINE}",
            limit=limit,
            baseline=(f"{BASELINE}, {unit}", average(there, key)),
            note=f"here {each(here, key)} {unit}, there {each(there, key)}, in turns",
        )
        for name, key, unit, limit in _ROWS
    ]
