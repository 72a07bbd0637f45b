"""Runs services: in this process, or as several processes that stop together.

It restarts no process: when one ends, it stops the others and exits 1, so that the caller (systemd, Docker,
Kubernetes) sees the failure and decides. Of several services in a process one may end and is started again
there (fleet/host.py).
"""

import asyncio
import gc
import importlib
import os
import signal
import sys
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from typing import Any, Final

import uvloop

from fleet.host import Host
from fleet.precedence import give_way
from fleet.settings import PREFIX, ProcessSettings, read_by
from fleet.worker import Worker
from hobbs.local.child import TETHER
from hobbs.local.parts import parts_of
from hobbs.shell.output import EXIT_FINDINGS, say
from schemas.services import BY_NAME

COLLECT_EVERY_S: Final = 10.0
COLLECT_AFTER: Final = 1_000_000  # a bound by number, for garbage that is made faster than the timer collects
STOP_WITHIN_S: Final = 28.0  # a worker drains in under 25 s, and orchestrators kill after 30 s
OPS_PORT: Final = f"{PREFIX}OPS_PORT"
PROCESSES: Final = f"{PREFIX}WORK_PROCESSES"

Child = asyncio.subprocess.Process
Run = Callable[[], Coroutine[Any, Any, None]]


def work_here(services: Sequence[str]) -> None:
    """Run the services in this process until SIGTERM or SIGINT. Wrong settings are raised first.

    Where none of them answers over HTTP, the process gives way to those that do. Raises ValidationError, or
    of one service of several WrongSettings.
    """
    if not any(BY_NAME[service].http for service in services):
        give_way()
    run_here(lambda: _build(services[0]).run if len(services) == 1 else _host(services).run)


def run_here(build: Callable[[], Run]) -> None:
    """Build what works, and run it with the collector as workers need it."""
    uvloop.run(_work(build))


async def _work(build: Callable[[], Run]) -> None:
    run = build()
    tune_gc()
    collecting = asyncio.create_task(_collect_garbage())
    try:
        await run()
    finally:
        collecting.cancel()


def _host(services: Sequence[str]) -> Host:
    builds = {service: partial(_build_among_others, service) for service in services}
    return Host(",".join(services), ProcessSettings(), builds)


def _build(service: str) -> Worker:
    worker: Worker = importlib.import_module(f"services.{service}.app").build(**parts_of(service))
    return worker


def _build_among_others(service: str) -> Worker:
    with read_by(service):
        return _build(service)


def tune_gc() -> None:
    """Keep the cyclic collector off the loaded modules, and have it run on a timer, not by object count.

    A batch makes a hundred thousand objects and no cycles, and in a backlog three batches are in progress. A
    collector that counted objects would traverse them again and again and free nothing (docs/decisions/0143).
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER)


async def _collect_garbage() -> None:
    """Collect by the timer. What the first seconds loaded is there for good too: it is walked only once."""
    await asyncio.sleep(COLLECT_EVERY_S)
    gc.collect()
    gc.freeze()
    while True:
        await asyncio.sleep(COLLECT_EVERY_S)
        gc.collect()


def work_in_processes(services: Sequence[str], count: int) -> int:
    """Run `count` processes of the services; returns the exit code, 0 when all stopped after a signal."""
    # With the tether the workers end too when the supervisor is killed by SIGKILL.
    tether = [sys.executable, "-I", "-S", str(TETHER), str(int(signal.SIGTERM)), str(os.getpid())]
    return asyncio.run(_supervise([*tether, sys.executable, "-m", "hobbs", "work", *services], count))


async def _supervise(command: Sequence[str], count: int) -> int:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    children = [await _start(command, index) for index in range(count)]
    ended = [asyncio.create_task(child.wait()) for child in children]
    stop = asyncio.create_task(stopping.wait())
    await asyncio.wait([stop, *ended], return_when=asyncio.FIRST_COMPLETED)
    _report(children)
    await _stop(children, ended)
    stop.cancel()
    return 0 if stopping.is_set() and all(child.returncode == 0 for child in children) else EXIT_FINDINGS


async def _start(command: Sequence[str], index: int) -> Child:
    # In its own session: a terminal's Ctrl-C reaches only the supervisor, which forwards it once.
    return await asyncio.create_subprocess_exec(
        *command, env={**os.environ, **_environment(index)}, start_new_session=True
    )


def _environment(index: int) -> dict[str, str]:
    """A port for each process's /healthz: HOBBS_OPS_PORT plus its number, or any free one when that is 0."""
    first = int(os.environ.get(OPS_PORT) or 0)
    return {PROCESSES: "1", OPS_PORT: str(first + index if first else 0)}


def _report(children: Sequence[Child]) -> None:
    for child in children:
        if child.returncode is not None:
            say(f"process {child.pid} ended by itself with exit code {child.returncode}; stopping the others")


async def _stop(children: Sequence[Child], ended: Sequence["asyncio.Task[int]"]) -> None:
    for child in children:
        if child.returncode is None:
            child.terminate()
    _, late = await asyncio.wait(ended, timeout=STOP_WITHIN_S)
    if late:
        for child in children:
            if child.returncode is None:
                say(f"process {child.pid} did not stop within {STOP_WITHIN_S:g} s; killed")
                child.kill()
        await asyncio.wait(ended)
