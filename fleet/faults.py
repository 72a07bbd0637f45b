"""Named places where a process can be made to die, raise, hang or wait: how crash runs prove a promise.

`HOBBS_FAULTS` holds the plan: comma-separated `point=action@pass`, where action is `kill`, `raise`, `hang` or
`delay:SECONDS` and pass counts from 1. A point that is passed for several things (a topic, a kind of
operation) is also known as `point:thing`. `HOBBS_FAULTS_REACHED` names a file that gets a line for each point
when this process first passes it, and a line `point action` just before a fault happens there. Without either
variable a point costs two comparisons.

`POINTS` lists every point of fleet; each service lists its own in `fault_points.py`.
"""

import asyncio
import logging
import os
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Final

HANG_S = 3600.0

POINTS = {
    "consumer.polled": "a batch was read, nothing is written",
    "consumer.handled": "the handler committed, the offsets are not",
    "consumer.acknowledged": "the offsets are committed",
    "consumer.draining": "a stop was asked for, batches may be in flight",
    "consumer.rebalancing": "partitions are about to move",
    "consumer.placing": "partitions were assigned, where the database ends is not known yet",
    "inbox.admitted": "events are admitted, their effect is not written",
    "dead_letters.buried": "dead letters are written and staged",
    "redrive.staged": "letters are forgotten by the inbox and staged again",
    "decision.judged": "a person's decision is judged and its effect written, its answer is not staged",
    "transaction.before_commit": "everything is written",
    "transaction.committed": "everything is committed, nobody knows",
    "outbox.staged": "follow-up events are written",
    "outbox.owned": "the relay took its lock",
    "outbox.selected": "rows were read, nothing is sent",
    "outbox.sending": "records are under way to Kafka",
    "outbox.acknowledged": "Kafka has the records, the rows are there",
    "outbox.deleted": "the rows are gone",
    "timer.claimed": "the job is leased and has not begun",
    "timer.ran": "the job is done, the timer does not know",
    "timer.date_claimed": "the business date is leased and its job has not begun",
    "timer.date_ran": "the date's job is done, the timer does not know",
}

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
        if passes == 1:
            self._note(point)
        fault = self._faults.get(point)
        if fault and passes == fault.nth:
            self._note(f"{point} {fault.action}")
            await _happen(point, fault)

    def _note(self, line: str) -> None:
        if self._reached:
            with self._reached.open("a", encoding="utf-8") as file:
                file.write(f"{line}\n")


async def fault_point(point: str, thing: str | None = None) -> None:
    """Pass a named place, perhaps for a `thing`; nothing happens unless the environment planned it."""
    plan = _read_plan() if _plan is _UNREAD else _plan
    if plan is not None:
        await plan.meet(point)
        if thing is not None:
            await plan.meet(f"{point}:{thing}")


def parse_plan(text: str) -> dict[str, Fault]:
    """Read `a.b=kill@1,c.d=delay:0.5@3`. Raises ValueError naming what it cannot read or a point's second."""
    plan: dict[str, Fault] = {}
    for part in filter(None, text.split(",")):
        point, fault = _parse(part)
        if point in plan:
            raise ValueError(f"{part!r} is a second fault at its point")
        plan[point] = fault
    return plan


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


def _read_plan() -> Plan | None:
    """Read what the environment plans, once: when the first point is passed, since a fork shares imports."""
    global _plan
    planned, reached = os.environ.get("HOBBS_FAULTS", ""), os.environ.get("HOBBS_FAULTS_REACHED")
    _plan = Plan(parse_plan(planned), Path(reached) if reached else None) if planned or reached else None
    return _plan


_UNREAD: Final = Plan({}, None)
_plan: Plan | None = _UNREAD
