"""Two services in one process on real Kafka: one goes down alone, and comes back to what it missed."""

import asyncio
import gc
import io
import json
import os
import secrets
import signal
import sys
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path

import asyncpg
import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from pydantic import SecretStr

import fleet
from fleet import host
from fleet.database import Database
from fleet.envelope import Message, Record, first_cause
from fleet.host import Host
from fleet.kafka_client import TopicPlan, create_topics, publish_once
from fleet.settings import Settings
from fleet.worker import Worker
from hobbs.local.ports import free_port
from tests.integration.fleet.sample import Thing, effects, record_things

# A service that is given up leaves its connections to the collector, whenever that comes.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
SERVICES = ("sample", "second")
SQL = Path(fleet.__file__).parent / "sql"


class Machinery:
    """A process of two services that do the same; `bug` is what `second` does next, once."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.built = dict.fromkeys(SERVICES, 0)
        self.workers: dict[str, Worker] = {}
        self.bug: Callable[[], Awaitable[int]] | None = None
        builds = {service: self._build_of(service) for service in SERVICES}
        self.host = Host("sample,second", settings, builds)
        self.task = asyncio.create_task(self.host.run())

    def _build_of(self, service: str) -> Callable[[], Worker]:
        def build() -> Worker:
            self.built[service] += 1
            worker = self.workers[service] = Worker(service, self.settings)

            async def handle(batch: Sequence[Record]) -> None:
                await record_things(worker.database, batch)

            async def step() -> int:
                if service != "second" or self.bug is None:
                    return 0
                bug, self.bug = self.bug, None
                return await bug()

            worker.ready_checks.pop("postgres")  # these schemas have no migrations
            worker.consume("thing.happened", handle)
            worker.loop("step", step)
            return worker

        return build

    async def publish(self, *names: str) -> None:
        things = [
            Message(topic="thing.happened", key=name, event=Thing(name=name), cause=first_cause())
            for name in names
        ]
        await publish_once(self.settings, things, service="test")

    async def ask(self, path: str) -> httpx.Response:
        url = f"http://127.0.0.1:{self.settings.ops_port}/{path}"
        async with httpx.AsyncClient(transport=httpx.AsyncHTTPTransport(retries=8)) as client:
            return await client.get(url, timeout=10)

    async def wrong(self, path: str = "readyz") -> dict[str, str]:
        return dict((await self.ask(path)).json()["wrong"])

    async def series(self, name: str) -> dict[str, float]:
        """Values of a metric by service; no series is there twice."""
        families = text_string_to_metric_families((await self.ask("metrics")).text)
        samples = [sample for family in families for sample in family.samples]
        assert len({(s.name, *sorted(s.labels.items())) for s in samples}) == len(samples)
        found = {s.labels["service"]: s.value for s in samples if s.name == name}
        return {service: value for service, value in found.items() if service in SERVICES}


@pytest.fixture
async def databases(plain_url: str) -> AsyncIterator[dict[str, Database]]:
    owner = await asyncpg.connect(plain_url)
    for service in SERVICES:
        await owner.execute(f"CREATE SCHEMA {service}; SET search_path TO {service}")
        for file in ("fleet_tables.sql", "position.sql", "invariant_outcome.sql"):
            await owner.execute((SQL / file).read_text())
        await owner.execute("CREATE TABLE effect (name text PRIMARY KEY, times integer NOT NULL DEFAULT 1)")
    await owner.close()
    opened = {service: Database(plain_url, schema=service, pool_size=2) for service in SERVICES}
    yield opened
    for database in opened.values():
        await database.close()


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """What is written to stderr from now on."""
    written = io.StringIO()
    monkeypatch.setattr(sys, "stderr", written)
    return written


@pytest.fixture
async def machinery(
    kafka: str, plain_url: str, databases: dict[str, Database], monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Machinery]:
    monkeypatch.setattr(host, "LOOK_EVERY_S", 0.2)
    monkeypatch.setattr(host, "PAUSE_FIRST_S", 5.0)  # in which the other one handles what comes
    settings = Settings(
        database_url=SecretStr(plain_url),
        kafka_bootstrap=kafka,
        topic_prefix=f"{secrets.token_hex(4)}.",
        ops_port=free_port(),
        log_level="INFO",
    )
    names = ("thing.happened", "thing.done", "sample.dead", "second.dead")
    await create_topics(settings, [TopicPlan(name=name, partitions=3, retention_ms=-1) for name in names])
    machinery = Machinery(settings)
    yield machinery
    os.kill(os.getpid(), signal.SIGTERM)
    await asyncio.wait_for(machinery.task, 25)
    with warnings.catch_warnings():  # a service that was given up leaves its connections to the collector
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


async def until(condition: Callable[[], Awaitable[object]], expected: object, within_s: float = 60) -> None:
    deadline = asyncio.get_running_loop().time() + within_s
    while (seen := await condition()) != expected:
        assert asyncio.get_running_loop().time() < deadline, f"still {seen!r} after {within_s:g} s"
        await asyncio.sleep(0.05)


async def a_library_gives_up() -> int:
    raise asyncio.CancelledError


async def a_library_exits() -> int:
    raise SystemExit(3)


@pytest.mark.parametrize("bug", [a_library_gives_up, a_library_exits])
async def test_one_service_ends_by_itself_alone_and_comes_back_to_what_it_missed(
    machinery: Machinery, databases: dict[str, Database], bug: Callable[[], Awaitable[int]]
) -> None:
    await machinery.publish("before")
    for service in SERVICES:
        await until(lambda service=service: effects(databases[service]), {"before": 1})  # type: ignore[misc]
    await until(machinery.wrong, {})
    survivor = machinery.workers["sample"]
    machinery.bug = bug
    await until(machinery.wrong, {"second": "down (PartEnded); it is started again"})
    assert await machinery.wrong("healthz") == {}  # the process lives: nobody is to end it
    assert (await machinery.series("fleet_outbox_age_seconds")).keys() == {"sample"}
    await machinery.publish("meanwhile")
    await until(lambda: effects(databases["sample"]), {"before": 1, "meanwhile": 1})
    assert await effects(databases["second"]) == {"before": 1}
    await until(lambda: effects(databases["second"]), {"before": 1, "meanwhile": 1})
    await until(machinery.wrong, {})
    assert machinery.workers["sample"] is survivor
    assert (await machinery.series("fleet_service_ends_total"))["second"] >= 1
    assert set(await machinery.series("fleet_outbox_age_seconds")) == set(SERVICES)


async def test_a_service_whose_consumers_do_not_poll_is_ended_and_built_again(machinery: Machinery) -> None:
    await until(machinery.wrong, {})
    survivor, stuck = machinery.workers["sample"], machinery.workers["second"]

    async def says() -> str:
        return "no poll for 120 s: thing.happened"

    stuck.live_checks["consumers"] = says
    await until(machinery.wrong, {"second": "down (Stuck); it is started again"})
    await until(machinery.wrong, {})
    assert machinery.workers["second"] is not stuck
    assert machinery.workers["sample"] is survivor


async def test_a_service_that_can_read_no_more_is_ended_and_built_again(
    machinery: Machinery, databases: dict[str, Database]
) -> None:
    """aiokafka's coordination of a group ended by what nobody expected: no fetch works any more."""
    await until(machinery.wrong, {})
    survivor, ended = machinery.workers["sample"], machinery.workers["second"]
    for consumer in ended._consumers._consumers:
        reader = consumer.reader()
        assert reader is not None
        reader._coordinator._coordination_task.cancel()
    await until(machinery.wrong, {"second": "down (Stuck); it is started again"})
    await machinery.publish("afterwards")
    await until(lambda: effects(databases["second"]), {"afterwards": 1})
    assert machinery.workers["second"] is not ended
    assert machinery.workers["sample"] is survivor


async def test_each_line_names_the_service_whose_task_wrote_it(
    said: io.StringIO, machinery: Machinery
) -> None:
    await until(machinery.wrong, {})
    machinery.bug = a_library_gives_up
    await until(machinery.wrong, {"second": "down (PartEnded); it is started again"})
    lines = [json.loads(line) for line in said.getvalue().splitlines()]
    assert {line["service"] for line in lines if line["message"] == "ended by itself"} == {"second"}
    for line in lines:
        assert (
            line["service"] == line["logger"].removeprefix("services.") or "services." not in line["logger"]
        )
