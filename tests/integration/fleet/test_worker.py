"""The worker on real Kafka: redelivery, poison, relay order, drain."""

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

import asyncpg
import httpx
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from prometheus_client import Gauge
from pydantic import SecretStr

from fleet import consumers, logs, metrics, worker
from fleet.database import Database
from fleet.envelope import Message, Record, first_cause
from fleet.kafka_client import TopicPlan, create_topics, publish_once
from fleet.outbox import stage
from fleet.settings import Settings
from fleet.shared_batches import BATCH_EVERY_S
from fleet.worker import Worker
from hobbs.local.ports import free_port
from tests.integration.fleet.sample import Thing, effects, letters, record_things

TOPICS = ("thing.happened", "thing.done", "sample.dead")


@pytest.fixture
async def settings(kafka: str, plain_url: str) -> Settings:
    settings = Settings(
        database_url=SecretStr(plain_url),
        kafka_bootstrap=kafka,
        topic_prefix=f"{secrets.token_hex(4)}.",
        log_format="console",
    )
    plans = [TopicPlan(name=name, partitions=3, retention_ms=-1, compression="producer") for name in TOPICS]
    assert set((await create_topics(settings, plans)).values()) == {3}
    assert set((await create_topics(settings, plans)).values()) == {3}
    return settings


@pytest.fixture
async def running(settings: Settings, database: Database) -> AsyncIterator["Running"]:
    running = Running(settings)
    yield running
    await running.stop()


class Running:
    """A worker of the sample service in this process; `failures` makes its next batches raise."""

    def __init__(self, settings: Settings, *, every_s: float = BATCH_EVERY_S) -> None:
        self.settings = settings
        self.failures = 0
        self.worker = Worker("sample", settings)
        self.worker.consume("thing.happened", self.handle, batch_max=50, every_s=every_s)
        self.task: asyncio.Task[None] | None = None

    async def handle(self, batch: Sequence[Record]) -> None:
        if self.failures:
            self.failures -= 1
            raise ConnectionError("the database is away")
        await record_things(self.worker.database, batch)

    def start(self) -> None:
        self.task = asyncio.create_task(self.worker.run())

    async def stop(self) -> None:
        self.worker._stopping.set()
        if self.task:
            await asyncio.wait_for(self.task, 25)


async def publish(settings: Settings, names: Sequence[str], topic: str = "thing.happened") -> None:
    things = [Message(topic=topic, key=name, event=Thing(name=name), cause=first_cause()) for name in names]
    await publish_once(settings, things, service="test")


async def until(condition: Callable[[], Awaitable[object]], expected: object, within_s: float = 30) -> None:
    deadline = asyncio.get_running_loop().time() + within_s
    while (seen := await condition()) != expected:
        assert asyncio.get_running_loop().time() < deadline, f"still {seen!r} after {within_s:g} s"
        await asyncio.sleep(0.05)  # other processes' work has no event to wait for


async def test_a_batch_that_raises_is_read_again_from_every_partition(running: Running) -> None:
    names = [f"n{i}" for i in range(60)]
    await publish(running.settings, names)
    running.failures = 2
    running.start()
    await until(lambda: effects(running.worker.database), dict.fromkeys(names, 1))
    assert running.failures == 0  # both batches did raise


async def test_a_batch_that_raises_is_logged_once(
    capsys: pytest.CaptureFixture[str], running: Running
) -> None:
    await publish(running.settings, ["n1"])
    running.failures = 1
    running.start()
    await until(lambda: effects(running.worker.database), {"n1": 1})
    assert capsys.readouterr().err.count("ConnectionError: the database is away") == 1


async def test_the_log_of_a_failed_statement_holds_no_data(
    capsys: pytest.CaptureFixture[str], settings: Settings, database: Database
) -> None:
    logs.configure("INFO", "json", "sample")
    async with database.transaction() as tx:
        await tx.execute("ALTER TABLE effect ADD CONSTRAINT effect_is_once CHECK (times = 1)")
    person = "Robin Whitaker"  # a traceback shows source lines
    for times in ("2", "many"):
        try:
            async with database.transaction() as tx:
                await tx.execute(_INSERT, name=person, times=times)
        except Exception:
            logging.getLogger("sample").exception("failed")
    said = capsys.readouterr().err
    assert "effect_is_once" in said
    assert "invalid input syntax" in said
    assert "Robin" not in said


_INSERT = "INSERT INTO effect (name, times) VALUES (:name, CAST(CAST(:times AS text) AS integer))"


async def test_a_worker_that_joined_no_group_lives_but_is_not_ready(
    settings: Settings, database: Database
) -> None:
    nowhere = f"127.0.0.1:{free_port()}"
    lonely = Running(settings.model_copy(update={"kafka_bootstrap": nowhere, "ops_port": free_port()}))
    lonely.start()
    try:
        alive, _ = await health(lonely, "healthz")
        ready, wrong = await health(lonely, "readyz")
        assert (alive, ready) == (200, 503)
        assert wrong["groups"] == "not consuming yet: thing.happened"
    finally:
        await lonely.stop()


async def test_a_worker_is_ready_when_it_joined_its_groups(settings: Settings, database: Database) -> None:
    joins = Running(settings.model_copy(update={"ops_port": free_port()}))
    joins.start()
    try:
        await until(lambda: whats_wrong_with_groups(joins), None)
    finally:
        await joins.stop()


async def whats_wrong_with_groups(running: Running) -> str | None:
    _, wrong = await health(running, "readyz")
    return wrong.get("groups")


async def health(running: Running, path: str) -> tuple[int, dict[str, str]]:
    """Status and what is wrong, asked until the worker answers at all."""
    url = f"http://127.0.0.1:{running.settings.ops_port}/{path}"
    async with httpx.AsyncClient(transport=httpx.AsyncHTTPTransport(retries=8)) as client:
        answer = await client.get(url, timeout=10)
    return answer.status_code, answer.json()["wrong"]


async def test_poison_never_stops_a_partition(running: Running) -> None:
    running.start()
    async with AIOKafkaProducer(bootstrap_servers=running.settings.kafka_bootstrap) as producer:
        topic = running.settings.topic_prefix + "thing.happened"
        for value in (None, b"\xff", b"{", b"{}"):
            await producer.send_and_wait(
                topic, value, key=b"", partition=0, headers=[("x", b"\xff"), ("y", None)]
            )
    await publish(running.settings, ["after"])
    await until(lambda: effects(running.worker.database), {"after": 1})
    reasons = sorted(reason for reason, _, _ in await letters(running.worker.database))
    assert reasons == ["invalid", "not_json", "not_utf8", "null_value"]


async def test_follow_up_events_reach_their_topic_in_the_order_of_each_key(running: Running) -> None:
    running.start()
    names = [f"n{i % 7}" for i in range(300)]
    async with running.worker.database.transaction() as tx:
        await stage(
            tx,
            [
                Message(
                    topic="thing.done", key=name, event=Thing(name=f"{name}-{i:03d}"), cause=first_cause()
                )
                for i, name in enumerate(names)
            ],
        )
    seen = await consume(running.settings, "thing.done", 300)
    for name in set(names):
        of_key = [value for key, value in seen if key == name]
        assert of_key == sorted(of_key)
    await until(lambda: outbox_rows(running.worker.database), 0)


async def outbox_rows(database: Database) -> int:
    async with database.transaction() as tx:
        return int((await tx.one("SELECT count(*) AS n FROM outbox")).n)


async def consume(settings: Settings, topic: str, count: int) -> list[tuple[str, str]]:
    consumer = AIOKafkaConsumer(
        settings.topic_prefix + topic,
        bootstrap_servers=settings.kafka_bootstrap,
        auto_offset_reset="earliest",
    )
    async with consumer:
        async with asyncio.timeout(30):
            records = [await consumer.getone() for _ in range(count)]
    assert all(dict(r.headers)["ce_source"] == b"hobbs/sample" for r in records)
    return [(r.key.decode(), r.value.decode()) for r in records]


async def test_a_session_that_holds_a_lock_is_noticed_and_waited_for(
    running: Running, database: Database, plain_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lag is 0 and nothing fails; readiness and the ages say it, also while the outbox cannot be read."""
    monkeypatch.setattr(consumers, "BATCH_AGE_MAX_S", 0.3)
    monkeypatch.setattr(worker, "MEASURE_S", 0.1)
    holder = await asyncpg.connect(plain_url)
    await holder.execute("BEGIN")
    await holder.execute("LOCK TABLE sample.effect, sample.outbox")
    await publish(running.settings, ["n1"])
    running.start()

    async def is_noticed() -> bool:
        return "thing.happened" in (await running.worker._check_batches() or "")

    await until(is_noticed, True)
    for gauge in (metrics.BATCH_AGE, metrics.OLDEST_AGE):
        await until(lambda gauge=gauge: rose(gauge.labels("sample", "thing.happened")), True)  # type: ignore[misc]
    await until(lambda: rose(metrics.LOCK_WAIT.labels("sample")), True)
    await holder.close()
    await until(lambda: effects(database), {"n1": 1})
    await until(is_noticed, False)
    for gauge in (metrics.BATCH_AGE, metrics.OLDEST_AGE):
        await until(lambda gauge=gauge: rose(gauge.labels("sample", "thing.happened")), False)  # type: ignore[misc]


async def rose(gauge: Gauge) -> bool:
    return float(gauge._value.get()) > 0.3
