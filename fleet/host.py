"""Several services in one process and one event loop.

Each keeps its own role, pool, consumers and outbox relay. One that ends by itself, or whose consumers do not
poll any more, takes only itself down: it is built again after a pause that grows. All drain together. What
they share is the process: memory, processor, log, /metrics, and whatever ends it.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping

from fleet import logs, metrics, signals
from fleet.health import Check, what_is_wrong
from fleet.serving import PartEnded, ops_server
from fleet.settings import ProcessSettings, WrongSettings
from fleet.worker import DRAIN_S, Worker

PAUSE_FIRST_S, PAUSE_MAX_S = 1.0, 60.0
STOOD_S = 300.0  # who worked for so long begins with the first pause again
LOOK_EVERY_S = 10.0
LOOKS = 3  # in so many looks one after another it must be stuck, as under an orchestrator
ENDS_WITHIN_S = DRAIN_S + 5

Build = Callable[[], Worker]

_log = logging.getLogger(__name__)


class Stuck(Exception):
    """A service lives no more by its own checks; the sentence says which."""


class Host:
    """A process of several services; `builds` makes each service's worker, each time anew."""

    def __init__(self, name: str, settings: ProcessSettings, builds: Mapping[str, Build]) -> None:
        self._name = name
        self._settings = settings
        self._services = [_Service(service, build) for service, build in builds.items()]

    async def run(self) -> None:
        """Work until SIGTERM or SIGINT, then drain all. Raises WrongSettings before any began to work."""
        logs.configure(self._settings.log_level, self._settings.log_format, self._name)
        for service in self._services:
            service.build_first()
        signals.on_stop(self._stop)
        server = ops_server(self._settings, self._live_checks, self._ready_checks)
        serving = asyncio.create_task(server.serve())
        try:
            await asyncio.gather(*(service.run() for service in self._services))
        finally:
            server.should_exit = True
            await serving

    def _stop(self) -> None:
        for service in self._services:
            service.stop()

    def _live_checks(self) -> dict[str, Check]:
        return {service.name: service.check_ends for service in self._services}

    def _ready_checks(self) -> dict[str, Check]:
        return {name: check for service in self._services for name, check in service.checks().items()}


class _Service:
    """One service of the process: worked, and after an end by itself built anew."""

    def __init__(self, name: str, build: Build) -> None:
        self.name = name
        self._build = build
        self._worker: Worker | None = None
        self._down = "not started yet"
        self._ends = True
        self._stopping = asyncio.Event()

    def build_first(self) -> None:
        """Build it before it runs. Raises WrongSettings: a person reads of them at once."""
        try:
            self._worker = self._build()
        except WrongSettings:
            raise
        except Exception:  # `run` builds it, and tells
            self._worker = None

    async def run(self) -> None:
        """Work until `stop`; what else ends it is told and waited for."""
        with logs.of_service(self.name):
            pause, clock = PAUSE_FIRST_S, asyncio.get_running_loop().time
            while not self._stopping.is_set():
                began = clock()
                try:
                    self._worker = self._worker or self._build()
                    await self._work(self._worker)
                except Exception as error:
                    pause = PAUSE_FIRST_S if clock() - began > STOOD_S else pause
                    await self._stay_down(error, pause)
                    pause = min(pause * 2, PAUSE_MAX_S)

    def stop(self) -> None:
        self._stopping.set()
        if self._worker:
            self._worker.stop()

    async def check_ends(self) -> str | None:
        return None if self._ends else "it is stuck and cannot be ended: this process must be started anew"

    def checks(self) -> dict[str, Check]:
        """Its worker's own, under its name; or that it is down."""
        if self._worker is None:
            return {self.name: self._check_up}
        own = {**self._worker.live_checks, **self._worker.ready_checks}
        return {f"{self.name}.{name}": check for name, check in own.items()}

    async def _check_up(self) -> str | None:
        return self._down

    async def _work(self, worker: Worker) -> None:
        working = asyncio.create_task(worker.work())
        watching = asyncio.create_task(_stuck(worker))
        await asyncio.wait({working, watching}, return_when=asyncio.FIRST_COMPLETED)
        watching.cancel()
        if working.done():
            if working.cancelled():
                raise PartEnded("the worker was cancelled")
            return working.result()
        working.cancel()
        await asyncio.wait({working}, timeout=ENDS_WITHIN_S)
        if not working.done():
            self._ends = False
            _log.error("stuck and cannot be ended", extra={"wrong": watching.result()})
            await self._stopping.wait()
        raise Stuck(watching.result())

    async def _stay_down(self, error: Exception, pause: float) -> None:
        self._worker = None
        self._down = f"down ({type(error).__name__}); it is started again"
        metrics.end_service(self.name)
        metrics.SERVICE_ENDS.labels(self.name).inc()
        _log.error("ended by itself", exc_info=error, extra={"again_in_s": pause})
        await signals.pause(self._stopping, pause)


async def _stuck(worker: Worker) -> str:
    """Return once its own checks have said for several looks that it lives no more, and what they said."""
    looks = 0
    while True:
        await asyncio.sleep(LOOK_EVERY_S)
        wrong = await what_is_wrong(worker.live_checks)
        looks = looks + 1 if wrong else 0
        if looks == LOOKS:
            return "; ".join(wrong.values())
