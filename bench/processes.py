"""Processor time, memory and open files of processes, read from /proc."""

import os
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from hobbs.local.child import Child
from hobbs.local.stack import Stack

PROC = Path("/proc")
MIB = 2**20
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True, kw_only=True)
class Footprint:
    """Resident memory now and its peak, in MiB."""

    resident: float
    peak: float

    def or_more(self, other: "Footprint | None") -> "Footprint":
        if other is None:
            return self
        return Footprint(resident=max(self.resident, other.resident), peak=max(self.peak, other.peak))


def footprint(pid: int) -> Footprint:
    lines = (PROC / str(pid) / "status").read_text().splitlines()
    status = dict(line.split(":", 1) for line in lines if line.startswith("Vm"))
    return Footprint(resident=_mib(status["VmRSS"]), peak=_mib(status["VmHWM"]))


def _mib(kilobytes: str) -> float:
    return int(kilobytes.split()[0]) * 1024 / MIB


def open_files(pid: int) -> int:
    return len(os.listdir(PROC / str(pid) / "fd"))


def family(pid: int) -> list[int]:
    """A process and its descendants, such as Postgres and its backends."""
    parents = dict(_parents())
    found = [pid]
    for one in found:
        found += [child for child, parent in parents.items() if parent == one]
    return found


def _parents() -> Iterable[tuple[int, int]]:
    for name in os.listdir(PROC):
        if name.isdigit() and (fields := _stat(int(name))):
            yield int(name), int(fields[1])


def _stat(pid: int) -> list[str]:
    """The fields of /proc/<pid>/stat after the command's name; empty when the process has ended."""
    try:
        return (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []


def used_s(pid: int) -> float:
    """Processor seconds of a process and its descendants; of this process, its own only."""
    alone = pid == os.getpid()
    own_and_ended = slice(11, 13 if alone else 15)
    return sum(sum(map(int, _stat(one)[own_and_ended])) for one in ([pid] if alone else family(pid))) / _TICKS


@dataclass(slots=True)
class Shares:
    """The share of one core that each process used since the last look."""

    pids: Mapping[str, int]
    looked_at: float = 0.0
    used: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.look()

    def look(self) -> dict[str, float]:
        """Percent of one core by process, the greatest first."""
        now, used = time.monotonic(), {name: used_s(pid) for name, pid in self.pids.items()}
        took = now - self.looked_at
        shares = {name: 100 * (used[name] - self.used.get(name, 0.0)) / took for name in used}
        self.looked_at, self.used = now, used
        return dict(sorted(shares.items(), key=lambda share: -share[1]))


def pids(stack: Stack, workers: Iterable[Child]) -> dict[str, int]:
    """Every process of the measurement, by name; `bench` is this process."""
    servers = {"postgres": stack.postgres.child, "kafka": stack.kafka.child, "stripe": stack.simulator.child}
    named = {name: child.pid for name, child in servers.items()}
    return named | {child.name: child.pid for child in workers} | {"bench": os.getpid()}


def percentages(shares: Mapping[str, float], least: float = 3.0) -> str:
    """`kafka 61 %, ledger 20 % …` of one core."""
    return ", ".join(f"{name} {share:.0f} %" for name, share in shares.items() if share >= least)
