"""Named places where a process can be made to die, raise, hang or wait: how crash runs prove a promise.

`HOBBS_FAULTS` holds the plan: comma-separated `point=action@pass`, where action is `kill`, `raise`, `hang` or
`delay:SECONDS` and pass counts from 1. `HOBBS_FAULTS_REACHED` names a file that gets a line for each point
when this process first passes it. Without either variable a point costs one comparison.
"""

import asyncio
import logging
import os
import signal
from dataclasses import dataclass
from pathlib import Path

HANG_S = 3600.0

_log = logging.getLogger(__name__)


class InjectedFault(ConnectionError):
    """Raised by a fault point: to the code around it an outage like any other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What happens at the `nth` pass of a point."""

    action: str
    nth: int
    seconds: float = 0.0


class Plan:
    """Which faults this process meets, and which points it has passed."""

    def __init__(self, faults: dict[str, Fault], reached: Path | None) -> None:
        self._faults = faults
        self._reached = reached
        self._passes: dict[str, int] = {}

    async def meet(self, point: str) -> None:
        passes = self._passes[point] = self._passes.get(point, 0) + 1
        if passes == 1 and self._reached:
            with self._reached.open("a", encoding="utf-8") as file:
                file.write(f"{point}\n")
        fault = self._faults.get(point)
        if fault and passes == fault.nth:
            await _happen(point, fault)


async def fault_point(point: str) -> None:
    """Pass a named place; nothing happens unless the environment planned a fault here."""
    if _plan is not None:
        await _plan.meet(point)


def parse_plan(text: str) -> dict[str, Fault]:
    """Read `a.b=kill@1,c.d=delay:0.5@3`. Raises ValueError naming the part it cannot read."""
    return dict(_parse(part) for part in text.split(",") if part)


def _parse(part: str) -> tuple[str, Fault]:
    point, _, rest = part.partition("=")
    what, _, nth = rest.partition("@")
    action, _, seconds = what.partition(":")
    if action not in ("kill", "raise", "hang", "delay") or not nth.isdigit():
        raise ValueError(f"{part!r} is not point=kill|raise|hang|delay:SECONDS@pass")
    return point.strip(), Fault(action=action, nth=int(nth), seconds=float(seconds or 0))


async def _happen(point: str, fault: Fault) -> None:
    _log.warning("fault", extra={"point": point, "action": fault.action})
    if fault.action == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if fault.action == "raise":
        raise InjectedFault(f"fault injected at {point}")
    await asyncio.sleep(HANG_S if fault.action == "hang" else fault.seconds)


def _plan_from_environment() -> Plan | None:
    planned, reached = os.environ.get("HOBBS_FAULTS", ""), os.environ.get("HOBBS_FAULTS_REACHED")
    if not planned and not reached:
        return None
    return Plan(parse_plan(planned), Path(reached) if reached else None)


_plan = _plan_from_environment()
