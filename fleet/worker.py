"""One service's worker: its consumers, loops, timers, outbox relay and health, started and drained together.

It has a process of its own (`run`), or shares one (fleet/host.py). Every record passes a handler that commits
its effect and only then the offsets (NACK_ON_ERROR: a raising batch is read again from each partition's first
record; the pause before that is ours). What one record causes never raises: `fleet/isolate.py` buries it.
Scale by starting more processes.
"""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Collection, Coroutine, Mapping, Sequence
from datetime import UTC, date, datetime, time
from functools import partial
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

import uvicorn
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from fleet import gauges, kafka_client, logs, metrics, redrives, signals, timers
from fleet.consumers import Consumers
from fleet.database import Database
from fleet.decisions import COMMON_ACTIONS, OTHER, REQUESTED, Action, take_decisions
from fleet.envelope import Message
from fleet.health import Check
from fleet.isolate import isolate
from fleet.member import Consumer, First
from fleet.outbox import OutboxRelay
from fleet.own_check import POLL_S, OwnCheck
from fleet.positions import Positions
from fleet.proofs import Proved, Publishers, keys_of_publishers
from fleet.proved import hand_proved
from fleet.reader import partitions_of
from fleet.revisions import pending_migrations
from fleet.serving import PartEnded, make_server, ops_server, serve
from fleet.settings import Settings
from fleet.shadows import Known, Mark
from fleet.shared_batches import BATCH_EVERY_S, Handler, SharedBatches

DRAIN_S = 20.0
BACKOFF_FIRST_S, BACKOFF_MAX_S = 0.2, 10.0
MEASURE_S = 5.0
PUBLISH_TIMEOUT_S = 8.0
# Of every worker, in the order of _all_jobs.
OWN_LOOPS = ("outbox", "watch", "measure", "own_check", "consumers")

_Job = Callable[[], Coroutine[Any, Any, None]]


class Worker:
    """A service's worker. Register consumers, loops and timers, then `run`."""

    def __init__(
        self, service: str, settings: Settings, *, proved: Mapping[str, Proved] = MappingProxyType({})
    ) -> None:
        self.service = service
        self.settings = settings
        self.log = logging.getLogger(f"services.{service}")
        self.database = Database(
            settings.database_url.get_secret_value(),
            schema=service,
            pool_size=settings.database_pool_size,
            role=settings.database_role,
        )
        self.publishers = Publishers(keys_of_publishers(settings.publishers_keys), proved)
        self.handlers: dict[str, Handler] = {}  # of each topic that it consumes, for whoever replays one
        self.ready_checks: dict[str, Check] = {
            "postgres": self._check_postgres,
            "kafka": self._check_kafka,
            "groups": self._check_groups,
            "partitions": self._check_partitions,
            "batches": self._check_batches,
        }
        self.live_checks: dict[str, Check] = {"consumers": self._check_polls}
        self._consumers = Consumers(service, settings)
        self._own_check = OwnCheck(
            self.database, service, every_s=settings.check_every_s, lease_s=settings.timer_lease_s
        )
        self._timers = timers.DueTimers(self.database)
        self._jobs: list[tuple[str, _Job]] = []
        self._servers: list[tuple[Any, str, int]] = []
        self._stop: list[Callable[[], Awaitable[None]]] = []
        self._stopping = asyncio.Event()
        self._producer: AIOKafkaProducer | None = None
        self._producer_starting = asyncio.Lock()
        self._discarded: set[asyncio.Task[None]] = set()
        self._known = Known(self.database, self._stopping)
        metrics.start_service(service)
        for name in OWN_LOOPS:
            metrics.start_loop(service, name)

    def consume(
        self,
        topic: str,
        handler: Handler,
        *,
        batch_max: int = 500,
        members: int = 1,
        every_s: float = BATCH_EVERY_S,
        after: Sequence[str] = (),
        after_others: Mapping[str, Sequence[str]] = MappingProxyType({}),
    ) -> None:
        """Call `handler` with batches of the topic's records; it commits, or raises and has written nothing.

        After an outage the batch is read again; a record that makes the handler raise is buried alone.
        A batch begins at most every `every_s`, and at once after an idle period. Several members read shares
        of the partitions and handle what they find in one batch. In a backlog each member handles its own
        batches, so that one waits for Postgres while another decides; when other processes read the topic
        too, the members of this one take turns. `after`: topics whose records, as many as there are when the
        process starts, are handled before the first of this one. `after_others`: the same of topics that
        other services handle, by service; only when this topic is read again from an earlier place, or for
        the first time, as after a restore.
        """
        handed = partial(isolate, self.database, handler)
        self.handlers[topic] = partial(hand_proved, self.database, self.publishers, handed)
        shared = SharedBatches(self.handlers[topic], every_s=every_s)
        for _ in range(members):
            first = [First(topic=name) for name in after]
            first += [First(topic=name, service=who) for who, names in after_others.items() for name in names]
            positions = Positions(self.database, topic)
            self._consumers.add(
                Consumer(
                    topic=topic, shared=shared, batch_max=batch_max, positions=positions, after=tuple(first)
                )
            )

    def be_shadow(self, mark: Mark, live_topics: Collection[str]) -> None:
        """Before it works: read these topics where the live deployment has them; the database is marked."""
        self._known.expected = mark
        self._consumers.name_of = lambda topic: (
            (mark.live if topic in live_topics else mark.topic_prefix) + topic
        )

    def begin_when(self, ready: Callable[[], bool]) -> None:
        """Handle no record of any topic before `ready` says so; what is read meanwhile is read again."""
        self._consumers.may_begin = ready

    def decide(self, actions: Mapping[str, Action], *, strays_of: Sequence[str] | None = None) -> None:
        """Take people's decisions of these kinds, and those about dead letters (fleet/decisions.py)."""
        every = {**COMMON_ACTIONS, **actions}
        metrics.start_decisions(self.service, (*every, OTHER))
        self.consume(REQUESTED, partial(take_decisions, self.database, every, strays_of=strays_of), every_s=0)
        self.take_redrives()

    def take_redrives(self) -> None:
        """Read the service's redriven letters, and hand each to the handler of its topic. The last `consume`.

        After a restore the service's own topics are read first: what a letter waited for comes before it.
        """
        first = [topic for topic in self.handlers if topic != REQUESTED]
        take = partial(redrives.take, self.database, self.handlers)
        self.consume(redrives.topic_of(self.service), take, after=first)

    def loop(self, name: str, step: Callable[[], Awaitable[int]], *, idle_s: float = 0.05) -> None:
        """Call `step` again and again: at once while it says it did something, else after `idle_s`."""

        async def forever() -> None:
            while not self._stopping.is_set():
                if not await step():
                    await self._pause(idle_s)

        self._add_job(name, forever)

    def every(self, name: str, seconds: float, job: Callable[[], Awaitable[None]]) -> None:
        """Run `job` every so many seconds in one process of the service."""

        due = self._timers.add(name, seconds)

        async def forever() -> None:
            await timers.declare(self.database, name)
            while not self._stopping.is_set():
                await due.wait()
                due.clear()
                if not self._stopping.is_set():
                    await timers.run_if_due(
                        self.database, name, seconds, job, lease_s=self.settings.timer_lease_s
                    )

        if not any(known == "timers" for known, _ in self._jobs):
            self._add_job("timers", partial(self._timers.run, self._stopping))
        self._add_job(name, forever)

    def daily(self, name: str, job: Callable[[date], Awaitable[None]], *, at: time, zone: ZoneInfo) -> None:
        """Run `job` once for each business date after `at` local time; missed dates are caught up."""

        async def forever() -> None:
            await timers.declare(self.database, name)
            while not self._stopping.is_set():
                today = timers.business_date(datetime.now(UTC), zone, at)
                await timers.run_missed_dates(
                    self.database, name, today, job, lease_s=self.settings.timer_lease_s
                )
                await self._pause(timers.POLL_S)

        self._add_job(name, forever)

    def serve(self, app: Any, host: str, port: int) -> None:
        """Serve an ASGI application beside the consumers."""
        self._servers.append((app, host, port))

    def on_stop(self, hook: Callable[[], Awaitable[None]]) -> None:
        self._stop.append(hook)

    @property
    def stopping(self) -> bool:
        return self._stopping.is_set()

    async def publish_now(self, message: Message) -> None:
        """Publish outside the outbox and return once Kafka has it. Raises KafkaError or TimeoutError."""
        async with asyncio.timeout(PUBLISH_TIMEOUT_S):
            producer = await self._started_producer()
            try:
                await (await kafka_client.send(producer, self.settings, message, service=self.service))
            except KafkaError:
                self._discard(producer)
                raise

    async def run(self) -> None:
        """Work alone in this process until SIGTERM or SIGINT, with its log and ops port."""
        logs.configure(self.settings.log_level, self.settings.log_format, self.service)
        signals.on_stop(self.stop)
        server = ops_server(self.settings, lambda: self.live_checks, lambda: self.ready_checks)
        serving = asyncio.create_task(server.serve())
        try:
            await self.work()
        finally:
            server.should_exit = True
            await serving

    def stop(self) -> None:
        """Have `work` drain and return."""
        self._stopping.set()

    async def work(self) -> None:
        """Work until `stop`, then drain: finish what is in flight, commit, leave the groups.

        Raises PartEnded, after draining, when a part ended by itself.
        """
        with logs.of_service(self.service):
            servers = [make_server(*s) for s in self._servers]
            tasks = [
                asyncio.create_task(self._supervise(name, job), name=name) for name, job in self._all_jobs()
            ]
            serving = [asyncio.create_task(serve(server), name="http") for server in servers]
            self.log.info("started")
            try:
                await self._until_asked_to_stop([*tasks, *serving])
            finally:
                self._stopping.set()
                await self._drain(tasks, servers, serving)

    async def _until_asked_to_stop(self, parts: Sequence["asyncio.Task[None]"]) -> None:
        asked = asyncio.create_task(self._stopping.wait())
        try:
            ended, _ = await asyncio.wait({asked, *parts}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            asked.cancel()
        if self._stopping.is_set():
            return
        part = next(iter(ended))  # a library's own cancellation, or its exit
        raise PartEnded(f"{part.get_name()} ended by itself") from (
            None if part.cancelled() else part.exception()
        )

    async def _drain(
        self,
        tasks: list["asyncio.Task[None]"],
        servers: list[uvicorn.Server],
        serving: list["asyncio.Task[None]"],
    ) -> None:
        self.log.info("draining")
        for server in servers:
            server.should_exit = True
        try:
            async with asyncio.timeout(DRAIN_S):
                await self._consumers.stop()
                relays = [t for t in tasks if t.get_name() == "outbox"]
                await asyncio.gather(*(t for t in tasks if t not in relays), return_exceptions=True)
        except TimeoutError:
            self.log.warning("stopped before everything in flight ended; it is read again at the next start")
        await signals.end(tasks)
        await asyncio.gather(*tasks, *serving, return_exceptions=True)
        closing = [*self._stop, *([self._producer.stop] if self._producer else []), self.database.close]
        for close in closing:
            try:
                await close()
            except Exception:  # the others must be closed too: the process may go on without this worker
                self.log.exception("not closed")
        self.log.info("stopped")

    def _add_job(self, name: str, job: _Job) -> None:
        self._jobs.append((name, job))
        metrics.start_loop(self.service, name)

    def _all_jobs(self) -> list[tuple[str, _Job]]:
        relay = OutboxRelay.of(self.database, self.settings)
        watch: _Job = partial(self._repeat, self._watch, MEASURE_S)
        measure: _Job = partial(self._repeat, self._measure, MEASURE_S)
        own: tuple[_Job, ...] = (relay.run, watch, measure, self._check_own, self._consume)
        return [
            *zip(OWN_LOOPS, own, strict=True),
            *self._jobs,
        ]

    async def _consume(self) -> None:
        await self._consumers.run(self._stopping)

    async def _supervise(self, name: str, job: _Job) -> None:
        pause = BACKOFF_FIRST_S
        await self._known.wait()
        while not self._stopping.is_set():
            started = asyncio.get_running_loop().time()
            try:
                await job()
            except SystemExit as asked:  # of a library: an exit is the whole process's, and not its to decide
                raise PartEnded(f"{name} asked to exit") from asked
            except Exception:  # an outage; the work is in tables and topics and is found again
                metrics.LOOP_FAILURES.labels(self.service, name).inc()
                if asyncio.get_running_loop().time() - started > 60:
                    pause = BACKOFF_FIRST_S
                self.log.exception("%s failed", name, extra={"retry_in_s": pause})
                await self._pause(pause)
                pause = min(pause * 2, BACKOFF_MAX_S)

    async def _pause(self, seconds: float) -> None:
        await signals.pause(self._stopping, seconds)

    async def _repeat(self, step: Callable[[], Awaitable[object]], every_s: float) -> None:
        """Run a step now, and then at an own part of the interval: processes are started together."""
        pause = random.uniform(0.0, every_s)
        while not self._stopping.is_set():
            await step()
            await self._pause(pause)
            pause = every_s

    async def _watch(self) -> None:
        """Set the gauges that need no database: they move while it hangs."""
        self._consumers.measure()

    async def _measure(self) -> None:
        await gauges.set_lock_wait(self.database)
        await self._consumers.write_positions()
        await gauges.set_waiting(self.database)

    async def _check_own(self) -> None:
        await self._own_check.declare()
        await self._repeat(self._own_check.step, min(POLL_S, self.settings.check_every_s))

    async def _check_postgres(self) -> str | None:
        pending = await pending_migrations(self.database)
        return f"migrations missing: {', '.join(pending)}; run hobbs migrate" if pending else None

    async def _check_kafka(self) -> str | None:
        producer = await self._started_producer()
        await partitions_of(producer.client, [])
        return None

    async def _check_polls(self) -> str | None:
        return self._consumers.stuck()

    async def _check_groups(self) -> str | None:
        return self._consumers.not_joined()

    async def _check_batches(self) -> str | None:
        return self._consumers.unhandled()

    async def _check_partitions(self) -> str | None:
        return self._consumers.unread()

    async def _started_producer(self) -> AIOKafkaProducer:
        async with self._producer_starting:
            if self._producer is None:
                connection = kafka_client.connection(self.settings)
                producer = kafka_client.make_producer(connection, timeout_s=PUBLISH_TIMEOUT_S)
                try:
                    await producer.start()
                except BaseException:
                    await producer.stop()
                    raise
                self._producer = producer
            return self._producer

    def _discard(self, producer: AIOKafkaProducer) -> None:
        """Forget a producer that failed: some errors are fatal to it. The next publish makes a new one."""
        current = self._producer is producer
        if not current:
            return
        self._producer = None
        # Its stop waits for what is in flight; nobody who publishes should wait for that.
        stopping: asyncio.Task[None] = asyncio.create_task(producer.stop())
        self._discarded.add(stopping)
        stopping.add_done_callback(self._discarded.discard)
