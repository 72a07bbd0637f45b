"""A consumer begins where its database ends, wherever the group's offsets are."""

import asyncio
import secrets
from collections.abc import Sequence

import pytest
from pydantic import SecretStr

from fleet import faults
from fleet.database import Database
from fleet.envelope import Record
from fleet.faults import InjectedFault, Plan, parse_plan
from fleet.kafka_client import TopicPlan, create_topics
from fleet.settings import Settings
from fleet.shared_batches import Handler
from fleet.worker import Worker
from tests.integration.fleet.sample import effects
from tests.integration.fleet.test_worker import Running, publish, until

NAMES = [f"n{number}" for number in range(12)]


@pytest.fixture
async def settings(kafka: str, plain_url: str) -> Settings:
    settings = Settings(
        database_url=SecretStr(plain_url),
        kafka_bootstrap=kafka,
        topic_prefix=f"{secrets.token_hex(4)}.",
        log_format="console",
    )
    plans = [
        TopicPlan(name=name, partitions=3, retention_ms=-1)
        for name in ("thing.happened", "thing.done", "thing.first", "sample.dead")
    ]
    await create_topics(settings, plans)
    return settings


async def handled(settings: Settings, database: Database, names: Sequence[str]) -> None:
    """Run a worker until these are handled, then stop it: its offsets are committed."""
    running = Running(settings)
    running.start()
    await until(lambda: effects(database), dict.fromkeys(names, 1))
    await running.stop()


async def positions(database: Database) -> dict[int, int]:
    async with database.transaction() as tx:
        rows = await tx.all(
            "SELECT partition, next_offset FROM topic_position WHERE topic = 'thing.happened'"
        )
    return {row.partition: row.next_offset for row in rows}


async def test_a_restored_database_is_read_on_from_where_it_ends(
    settings: Settings, database: Database
) -> None:
    await publish(settings, NAMES[:6])
    await handled(settings, database, NAMES[:6])
    backup = await positions(database)
    assert sum(backup.values()) == 6
    async with database.transaction() as tx:
        made_at = (await tx.one("SELECT now() AS at")).at
    await publish(settings, NAMES[6:])
    await handled(settings, database, NAMES)
    async with database.transaction() as tx:  # restore: the later records left no trace
        await tx.execute("DELETE FROM inbox WHERE admitted_at > :at", at=made_at)
        await tx.execute("DELETE FROM effect")
        for partition, offset in backup.items():
            await tx.execute(
                "UPDATE topic_position SET next_offset = :offset WHERE partition = :partition",
                offset=offset,
                partition=partition,
            )
    await handled(settings, database, NAMES[6:])
    assert sum((await positions(database)).values()) == 12


async def test_a_database_to_which_nothing_had_happened_is_read_from_the_beginning(
    settings: Settings, database: Database
) -> None:
    await publish(settings, NAMES)
    await handled(settings, database, NAMES)
    async with database.transaction() as tx:
        await tx.execute("TRUNCATE inbox, effect, topic_position")
    await handled(settings, database, NAMES)


async def test_an_upgraded_database_goes_on_at_its_offsets(settings: Settings, database: Database) -> None:
    """It has an inbox and no positions yet: the release before wrote none."""
    await publish(settings, NAMES[:6])
    await handled(settings, database, NAMES[:6])
    async with database.transaction() as tx:
        await tx.execute("TRUNCATE topic_position, effect")
    await publish(settings, NAMES[6:])
    await handled(settings, database, NAMES[6:])
    assert sum((await positions(database)).values()) == 12


async def test_what_comes_first_is_handled_first(settings: Settings, database: Database) -> None:
    """A record may come twice, as after any rebalance; the order holds in any case."""
    order: list[tuple[str, int, int]] = []

    def noting(topic: str) -> Handler:
        async def handle(batch: Sequence[Record]) -> None:
            order.extend((topic, record.partition, record.offset) for record in batch)

        return handle

    await publish(settings, NAMES)
    await publish(settings, NAMES, topic="thing.first")
    worker = Worker("sample", settings)
    worker.consume("thing.happened", noting("later"), after=["thing.first"])
    worker.consume("thing.first", noting("first"))
    task = asyncio.create_task(worker.run())

    async def number() -> int:
        return len(set(order))

    await until(number, 24)
    worker._stopping.set()
    await asyncio.wait_for(task, 25)
    topics = [topic for topic, _, _ in order]
    assert len(set(order[: topics.index("later")])) == 12


async def test_nothing_is_handled_before_the_service_may_begin(
    settings: Settings, database: Database
) -> None:
    """What is read meanwhile is read again."""
    await publish(settings, NAMES)
    order: list[str] = []

    async def handle(batch: Sequence[Record]) -> None:
        order.extend("handled" for _ in batch)

    def ready() -> bool:
        order.append("asked")
        return len(order) > 3

    worker = Worker("sample", settings)
    worker.consume("thing.happened", handle)
    worker.begin_when(ready)
    task = asyncio.create_task(worker.run())

    async def number() -> int:
        return order.count("handled")

    await until(number, 12)
    worker._stopping.set()
    await asyncio.wait_for(task, 25)
    assert order[:4] == ["asked"] * 4


@pytest.mark.parametrize("read_again", [True, False])
async def test_nothing_is_read_before_it_is_known_where_the_database_ends(
    settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch, read_again: bool
) -> None:
    """A batch from the committed offsets, in hand meanwhile, is no place to go on: handled, or read again."""
    await publish(settings, NAMES)
    await handled(settings, database, NAMES)
    async with database.transaction() as tx:
        await tx.execute("TRUNCATE inbox, effect")
        await tx.execute("UPDATE topic_position SET next_offset = 0")
    await publish(settings, ["later"] * 12)
    monkeypatch.setattr(faults, "_plan", Plan(parse_plan("consumer.placing=delay:2@1"), None))
    batches, order = list[int](), set[tuple[int, int]]()

    async def handle(batch: Sequence[Record]) -> None:
        batches.append(len(batch))
        if len(batches) == 1 and read_again:
            await asyncio.sleep(3)
            raise InjectedFault("the first batch")
        order.update((record.partition, record.offset) for record in batch)

    async def number() -> int:
        return len(order)

    worker = Worker("sample", settings)
    worker.consume("thing.happened", handle)
    task = asyncio.create_task(worker.run())
    try:
        await until(number, 24)
    finally:
        worker._stopping.set()
        await asyncio.wait_for(task, 25)


async def test_what_another_service_handles_comes_first_when_records_are_read_again(
    settings: Settings, database: Database
) -> None:
    """And only then: at an ordinary restart nobody waits for another service."""
    async with database.transaction() as tx:
        await tx.execute("CREATE SCHEMA another_public")
        await tx.execute("CREATE TABLE another_public.positions (LIKE topic_position)")
    handled: list[Record] = []

    async def handle(batch: Sequence[Record]) -> None:
        handled.extend(batch)

    async def number() -> int:
        return len(handled)

    async def run(names: Sequence[str]) -> asyncio.Task[None]:
        await publish(settings, names)
        worker = Worker("sample", settings)
        worker.consume("thing.happened", handle, after_others={"another": ["thing.first"]})
        workers.append(worker)
        return asyncio.create_task(worker.run())

    workers: list[Worker] = []
    await publish(settings, NAMES[:3], topic="thing.first")
    task = await run(NAMES[:6])
    await until(lambda: assigned(workers[0]), True)
    await asyncio.sleep(1)
    assert handled == []
    async with database.transaction() as tx:
        await tx.execute(
            "INSERT INTO another_public.positions"
            " SELECT 'thing.first', number, 3, now() FROM generate_series(0, 2) AS number"
        )
    await until(number, 6)
    workers[0]._stopping.set()
    await asyncio.wait_for(task, 25)

    async with database.transaction() as tx:
        await tx.execute("TRUNCATE another_public.positions")
    task = await run(NAMES[6:])
    await until(number, 12)
    workers[1]._stopping.set()
    await asyncio.wait_for(task, 25)


async def assigned(worker: Worker) -> bool:
    """Whether the worker's consumers have what they read."""
    readers = [consumer.reader() for consumer in worker._consumers._consumers]
    return all(reader and reader.assignment() for reader in readers)
