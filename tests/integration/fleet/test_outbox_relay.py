"""The outbox relay on real Kafka, one step at a time: late commits, refusals, deaths, and a second relay."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import MessageSizeTooLargeError

from fleet import faults, outbox
from fleet.database import Database
from fleet.envelope import Message, Record, first_cause
from fleet.outbox import OutboxRelay, stage
from fleet.proofs import Publishers
from hobbs.put_back import sent_rows
from schemas.proved import Proved, key_of_topic
from tests.integration.fleet.sample import Thing
from tests.integration.fleet.test_worker import until
from tests.support.records import RECEIVED_AT

ROOMY, NARROW, SPREAD = "thing.done", "thing.narrow", "thing.spread"
NARROW_BYTES = 2_000


@pytest.fixture
async def prefix(kafka: str) -> str:
    """The prefix of three topics: one takes anything, one refuses what is large, one has many partitions."""
    prefix = f"{secrets.token_hex(4)}."
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    narrow = {"max.message.bytes": str(NARROW_BYTES)}
    plans = [
        NewTopic(prefix + ROOMY, 1, 1),
        NewTopic(prefix + NARROW, 1, 1, topic_configs=narrow),
        NewTopic(prefix + SPREAD, 12, 1),
    ]
    await admin.create_topics(plans)
    await admin.close()
    return prefix


class Told:
    """A relay driven by hand, and what its topic was told."""

    def __init__(self, database: Database, kafka: str, prefix: str, consumer: AIOKafkaConsumer) -> None:
        self.relay = OutboxRelay(database, {"bootstrap_servers": kafka}, prefix, kept_days=1)
        self._database = database
        self._kafka = kafka
        self._consumer = consumer

    async def step(self) -> None:
        """Relay what is there, as the owner of the lock does, with a producer of its own."""
        async with (
            self._database.session() as session,
            AIOKafkaProducer(bootstrap_servers=self._kafka, acks="all", enable_idempotence=True) as producer,
        ):
            await self.relay._relay_batch(session, producer)

    async def heard(self, count: int) -> list[Any]:
        async with asyncio.timeout(15):
            return [await self._consumer.getone() for _ in range(count)]


@pytest.fixture
async def told(database: Database, kafka: str, prefix: str) -> AsyncIterator[Told]:
    consumer = AIOKafkaConsumer(prefix + ROOMY, bootstrap_servers=kafka, auto_offset_reset="earliest")
    async with consumer:
        yield Told(database, kafka, prefix, consumer)


def message(name: str, topic: str = ROOMY) -> Message:
    return Message(topic=topic, key="k", event=Thing(name=name), cause=first_cause())


async def staged(database: Database, *messages: Message) -> None:
    async with database.transaction() as tx:
        await stage(tx, messages)


async def waiting(database: Database) -> list[str]:
    """The topics of the rows that are still there, in their order."""
    async with database.transaction() as tx:
        return [row.topic for row in await tx.all("SELECT topic FROM outbox ORDER BY id")]


async def test_a_row_that_commits_after_younger_ones_is_published_too(database: Database, told: Told) -> None:
    written, younger_is_out = asyncio.Event(), asyncio.Event()

    async def commit_late() -> None:
        async with database.transaction() as tx:
            await stage(tx, [message("elder")])
            written.set()
            await younger_is_out.wait()

    late = asyncio.create_task(commit_late())
    await written.wait()
    await staged(database, message("younger"))
    await told.step()
    [younger] = await told.heard(1)
    younger_is_out.set()
    await late
    await told.step()
    [elder] = await told.heard(1)
    assert [b"younger" in younger.value, b"elder" in elder.value] == [True, True]
    assert await waiting(database) == []


async def test_what_is_published_is_proved_over_what_its_reader_gets(database: Database, told: Told) -> None:
    told.relay._proof_key = b"k" * 32
    await staged(database, message("asked"))
    await told.step()
    [heard] = await told.heard(1)
    read = Record(
        topic=ROOMY,
        partition=heard.partition,
        offset=heard.offset,
        key=heard.key,
        value=heard.value,
        headers={name: value.decode() for name, value in heard.headers},
        timestamp=RECEIVED_AT,
    )
    me = database.schema
    topics = {topic: Proved(by=(me, "other"), read_by=()) for topic in (ROOMY, SPREAD)}
    known = {(me, topic): [b"n" * 32, key_of_topic("k" * 32, topic).encode()] for topic in topics}
    assert Publishers(known, topics).writer(read) == me, "schemas/proved.py and fleet/proofs.py agree"
    assert Publishers(known, topics).writer(read._replace(topic=SPREAD)) is None
    assert Publishers({("other", ROOMY): known[me, ROOMY]}, topics).writer(read) is None
    assert Publishers(known, {ROOMY: Proved(by=("other",), read_by=())}).writer(read) is None


async def test_what_kafka_did_not_acknowledge_stays(database: Database, told: Told) -> None:
    await staged(database, message("x" * 2 * NARROW_BYTES, NARROW), message("fits"))
    with pytest.raises(MessageSizeTooLargeError):
        await told.step()
    assert await waiting(database) == [NARROW]
    [fits] = await told.heard(1)
    assert b"fits" in fits.value


async def test_a_death_between_acknowledgement_and_delete_publishes_the_same_event_again(
    database: Database, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    await staged(database, message("a"))
    plan = faults.Plan(faults.parse_plan("outbox.acknowledged=raise@1"), None)
    monkeypatch.setattr(faults, "_plan", plan)
    with pytest.raises(faults.InjectedFault):
        await told.step()
    assert await waiting(database) == [ROOMY]
    await told.step()
    assert await waiting(database) == []
    first, again = await told.heard(2)
    assert dict(first.headers)["ce_id"] == dict(again.headers)["ce_id"]


async def test_what_was_sent_is_kept_as_it_was_until_it_is_old(
    database: Database, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Put back under its old id, a row goes before a newer one, and is the same record."""
    monkeypatch.setattr(outbox, "PRUNE_ROWS", 1)
    await staged(database, message("a"), message("b"))
    await told.step()
    async with database.session() as session:
        await told.relay._prune_if_due(session)  # neither is a day old
        async with database.transaction() as tx:
            await tx.execute("UPDATE outbox_sent SET sent_at = sent_at - interval '1 day' WHERE id = 1")
        told.relay._prune_at = 0.0
        for _ in range(3):
            await told.relay._prune_if_due(session)
    await staged(database, message("c"))
    async with database.transaction() as tx:
        put_back = sent_rows._PUT.format(schema="sample")
        assert await tx.execute(put_back) == 1
    await told.step()
    _, b, again, c = await told.heard(4)
    assert (again.key, again.value, again.headers) == (b.key, b.value, b.headers)
    assert b"c" in c.value
    told.relay._kept_days = 0
    await staged(database, message("d"))
    await told.step()
    async with database.transaction() as tx:
        assert [row.id for row in await tx.all("SELECT id FROM outbox_sent ORDER BY id")] == [2, 3]


async def test_the_relay_puts_a_key_where_every_producer_puts_it(
    database: Database, told: Told, kafka: str, prefix: str
) -> None:
    """The gateway publishes some keys itself: were they elsewhere, nobody would see their order."""
    keys = [f"k{n}" for n in range(40)]
    async with AIOKafkaProducer(bootstrap_servers=kafka) as producer:
        for key in keys:
            await producer.send_and_wait(prefix + SPREAD, b"{}", key=key.encode())
    events = [Message(topic=SPREAD, key=key, event=Thing(name=key), cause=first_cause()) for key in 3 * keys]
    await staged(database, *events)
    await told.step()
    places: dict[bytes, set[int]] = {}
    consumer = AIOKafkaConsumer(prefix + SPREAD, bootstrap_servers=kafka, auto_offset_reset="earliest")
    async with consumer, asyncio.timeout(15):
        for _ in range(4 * len(keys)):
            record = await consumer.getone()
            places.setdefault(record.key, set()).add(record.partition)
    assert {key: len(partitions) for key, partitions in places.items()} == {k.encode(): 1 for k in keys}
    assert len(set.union(*places.values())) > 1


class Counted(Database):
    """A database that counts how often a session was lent."""

    sessions = 0

    @asynccontextmanager
    async def session(self) -> AsyncIterator[Any]:
        self.sessions += 1
        async with super().session() as session:
            yield session


async def test_a_second_relay_waits_for_the_first_to_end(
    database: Database, plain_url: str, told: Told, kafka: str, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two at once would mix the records of one key."""
    monkeypatch.setattr(outbox, "STANDBY_S", 0.05)
    other = Counted(plain_url, schema="sample", pool_size=5)
    second = OutboxRelay(other, {"bootstrap_servers": kafka}, prefix, kept_days=1)
    await staged(database, message("a"))

    async def asked_again() -> bool:
        return other.sessions > 2  # whoever owns the lock keeps its first session

    async with database.session() as session:
        assert await told.relay._owns(session)
        running = asyncio.create_task(second.run())
        try:
            await until(asked_again, True, within_s=15)
            assert await waiting(database) == [ROOMY]
            await session.invalidate()  # the lock's owner dies
            await until(lambda: waiting(database), [])
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            await other.close()


async def test_what_a_process_that_stands_by_stages_is_relayed_when_it_says_so(
    database: Database, plain_url: str, told: Told, kafka: str, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The owner would look by itself after an hour only."""
    monkeypatch.setattr(outbox, "POLL_S", 3600.0)
    monkeypatch.setattr(outbox, "POLL_MOST_S", 3600.0)
    other = Counted(plain_url, schema="sample", pool_size=5)
    second = OutboxRelay(other, {"bootstrap_servers": kafka}, prefix, kept_days=1)

    async def first_owns() -> bool:
        async with other.session() as session:
            return not await second._owns(session)

    running = [asyncio.create_task(told.relay.run())]
    try:
        await until(first_owns, True, within_s=15)
        running.append(asyncio.create_task(second.run()))
        for key in ("a", "b", "c"):
            await staged(other, message(key))
            await until(lambda: waiting(database), [], within_s=15)
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        await other.close()


async def test_rows_that_nobody_told_of_are_found(
    database: Database, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A notification may be lost."""
    monkeypatch.setattr(outbox, "POLL_MOST_S", 0.2)
    running = asyncio.create_task(told.relay.run())
    try:
        for _ in range(3):
            await asyncio.sleep(0.3)
            database.on_staged = None
            await staged(database, message("a"))
            await until(lambda: waiting(database), [], within_s=15)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
