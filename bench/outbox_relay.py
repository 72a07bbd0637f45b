"""How fast the relay publishes a full outbox, and how long a single row waits in an idle one.

The rows are journal.posted events, the relay is that of an idle ledger worker. Loaded: all rows are staged
at once. Idle: one row at a time, at random instants, staged by another process, so that the relay finds it
by polling, or by the worker itself, whose commit wakes its relay.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from statistics import median, quantiles
from typing import Any

import asyncpg
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from bench import journals, processes
from bench.figures import Figure, at_least, at_most
from bench.flights import until
from bench.processes import Shares, percentages
from bench.servers import Deployment, deployed
from fleet import outbox
from fleet.database import Database
from fleet.envelope import Message, cloud_event_headers, first_cause, uuid7
from hobbs.local.stack import Stack
from schemas.journals import JournalPosted, PostedEntry
from schemas.topics import TOPICS

TOPIC = "journal.posted"
ROWS, BARE_ROWS, BATCH, ONE_BY_ONE_S = 200_000, 50_000, 2_000, 3.0
SINGLES, GAP_S = 100, 0.08
WITHIN_S = 90.0


async def measure(stack: Stack) -> list[Figure]:
    """The loaded outbox, the same records without one, then single rows."""
    async with deployed(stack) as deployment:
        owner = await deployment.connect()
        topic = Topic(deployment)
        try:
            # A ready worker relays already, so the rows are staged only once their arrival is observed.
            shares = Shares(processes.pids(stack, deployment.start("ledger")))
            (rate, used), _ = await asyncio.gather(topic.rate_of_arrival(shares), load(owner))
            alone, bare = await topic.one_by_one(), await topic.bare_loop()
            found = await waits(deployment, owner, stage_in_this_process)
            woken = await waits(deployment, owner, stage_in_the_worker)
        finally:
            await owner.close()
    return figures(rate, percentages(used), alone, bare, found, woken)


def posted(number: int) -> JournalPosted:
    now = datetime.now(UTC)
    entries = [
        PostedEntry(wallet=f"student:s-{number % 2_000}", amount=-30_000, balance_after=-90_000, version=3),
        PostedEntry(wallet=f"instructor:i-{number % 200}", amount=20_000, balance_after=600_000, version=30),
        PostedEntry(wallet="platform:school", amount=10_000, balance_after=2_000_000, version=200),
    ]
    return JournalPosted(
        journal_id=uuid7(),
        source=f"flight:B{number}:1",
        event_type="flight",
        currency="USD",
        occurred_at=now,
        recorded_at=now,
        entries=entries,
        memo=f"flight B{number}",
    )


async def load(owner: asyncpg.Connection) -> None:
    """Stage ROWS rows as the owner of the database; they differ in their sources only."""
    body = posted(0).model_dump_json()
    await owner.execute(_LOAD, TOPIC, body, first_cause().traceparent, ROWS)


_LOAD = """
    INSERT INTO ledger.outbox (topic, key, value, event_id, source, correlation_id, traceparent)
    SELECT $1, convert_to('flight:B' || n || ':1', 'UTF8'), convert_to(replace($2, 'B0', 'B' || n), 'UTF8'),
           uuidv7(), 'hobbs/ledger', CAST(uuidv7() AS text), $3
    FROM generate_series(1, CAST($4 AS integer)) AS n
"""


class Topic:
    """The topic of one deployment, read and written without Hobbs."""

    def __init__(self, deployment: Deployment) -> None:
        self._kafka = deployment.fleet.kafka_bootstrap
        self._name = f"{deployment.fleet.topic_prefix}{TOPIC}"

    async def rate_of_arrival(self, shares: Shares) -> tuple[float, dict[str, float]]:
        """Records a second between the first and last tenth of the rows, and processor shares."""
        async with AIOKafkaConsumer(bootstrap_servers=self._kafka) as consumer:
            seen: list[tuple[float, int]] = []
            deadline = time.monotonic() + WITHIN_S
            while (count := sum((await consumer.end_offsets(places(self._name))).values())) < ROWS:
                if count:
                    seen.append((time.monotonic(), count))
                else:
                    shares.look()
                if time.monotonic() > deadline:
                    raise TimeoutError(f"{count} of {ROWS} rows left the outbox within {WITHIN_S:g} s")
                await asyncio.sleep(0.02)
            used = shares.look()
        steady = [(at, count) for at, count in seen if ROWS * 0.1 <= count <= ROWS * 0.9]
        return (steady[-1][1] - steady[0][1]) / (steady[-1][0] - steady[0][0]), used

    async def one_by_one(self) -> float:
        """Records a second when each is sent after Kafka acknowledged the one before."""
        async with self._producer() as producer:
            began, count = time.monotonic(), 0
            while time.monotonic() - began < ONE_BY_ONE_S:
                await producer.send_and_wait(self._name, **record(count))
                count += 1
        return count / ONE_BY_ONE_S

    async def bare_loop(self) -> float:
        """Records a second of send() from prepared records, as many at a time as the relay reads."""
        records = [record(number) for number in range(BARE_ROWS)]
        async with self._producer() as producer:
            began = time.monotonic()
            for first in range(0, BARE_ROWS, BATCH):
                sent = [await producer.send(self._name, **one) for one in records[first : first + BATCH]]
                await asyncio.gather(*sent)
            return BARE_ROWS / (time.monotonic() - began)

    def _producer(self) -> AIOKafkaProducer:
        return AIOKafkaProducer(bootstrap_servers=self._kafka, acks="all", enable_idempotence=True)


def record(number: int) -> dict[str, Any]:
    cause = first_cause()
    headers = cloud_event_headers(
        event_id=uuid7(),
        source="hobbs/ledger",
        topic=TOPIC,
        at=datetime.now(UTC),
        correlation_id=cause.correlation_id,
        traceparent=cause.traceparent,
    )
    value = posted(number).model_dump_json().encode()
    return {"value": value, "key": f"flight:B{number}:1".encode(), "headers": headers}


def places(topic: str) -> list[TopicPartition]:
    return [TopicPartition(topic, number) for number in range(TOPICS[TOPIC].partitions)]


Staging = Callable[[Deployment, asyncpg.Connection], Awaitable[dict[bytes, float]]]


async def waits(deployment: Deployment, owner: asyncpg.Connection, stage: Staging) -> list[float]:
    """Milliseconds from the commit of each row to its arrival at a waiting consumer."""
    topic = f"{deployment.fleet.topic_prefix}{TOPIC}"
    async with AIOKafkaConsumer(bootstrap_servers=deployment.fleet.kafka_bootstrap) as consumer:
        consumer.assign(places(topic))
        await consumer.seek_to_end()
        arrived: dict[bytes, float] = {}
        listening = asyncio.create_task(note_arrivals(consumer, arrived))
        committed = await stage(deployment, owner)
        async with asyncio.timeout(WITHIN_S):
            while not committed.keys() <= arrived.keys():  # noqa: ASYNC110 - they come from another process
                await asyncio.sleep(0.05)
        listening.cancel()
    return [1000 * (arrived[key] - at) for key, at in committed.items()]


async def note_arrivals(consumer: AIOKafkaConsumer, arrived: dict[bytes, float]) -> None:
    async for record in consumer:
        arrived.setdefault(record.key, time.time())


async def stage_in_this_process(deployment: Deployment, _: asyncpg.Connection) -> dict[bytes, float]:
    """Stage rows in this process, whose commits wake no relay; returns when each commit returned."""
    db = Database(deployment.fleet.database_url("ledger"), schema="ledger")
    committed: dict[bytes, float] = {}
    dice = random.Random(1)
    for number in range(SINGLES):
        await asyncio.sleep(dice.expovariate(1 / GAP_S))
        key = f"flight:another-{number}:1"
        async with db.transaction() as tx:
            event = posted(number)
            await outbox.stage(tx, [Message(topic=TOPIC, key=key, event=event, cause=first_cause())])
        committed[key.encode()] = time.time()
    await db.close()
    return committed


async def stage_in_the_worker(deployment: Deployment, owner: asyncpg.Connection) -> dict[bytes, float]:
    """Request journals from the ledger; returns when it recorded each, a little before its commit."""
    requests = journals.requests(SINGLES, seed=2)
    dice = random.Random(2)
    async with AIOKafkaProducer(bootstrap_servers=deployment.fleet.kafka_bootstrap) as producer:
        for request in requests:
            await asyncio.sleep(dice.expovariate(1 / GAP_S))
            headers = [(name, value.encode()) for name, value in request.headers.items()]
            topic = f"{deployment.fleet.topic_prefix}{request.topic}"
            await producer.send_and_wait(topic, request.value, request.key, headers=headers)
    await until(owner, "SELECT count(*) FROM ledger.journal", SINGLES)
    rows = await owner.fetch("SELECT source, extract(epoch FROM recorded_at) AS at FROM ledger.journal")
    return {row["source"].encode(): float(row["at"]) for row in rows}


def figures(
    rate: float, used: str, alone: float, bare: float, found: Sequence[float], woken: Sequence[float]
) -> list[Figure]:
    return [
        Figure(
            name="outbox to Kafka, loaded",
            value=rate,
            unit="rows/s",
            limit=at_least(10_000),
            baseline=("a bare loop of send() from prepared records, records/s", bare),
            note=f"{ROWS:,} rows of journal.posted, one worker, acks=all; {used}; "
            f"one record at a time, each acknowledged: {alone:,.0f}/s",
        ),
        waiting(found, "staged by another process", "the relay polls every 50 ms"),
        waiting(woken, "staged by the worker", "from recorded_at, so the commit itself is in it"),
    ]


def waiting(milliseconds: Sequence[float], who: str, note: str) -> Figure:
    p99 = quantiles(milliseconds, n=100, method="inclusive")[98]
    return Figure(
        name=f"commit to topic when idle, {who}",
        value=p99,
        unit="ms (p99)",
        limit=at_most(100),
        baseline=("median, ms", median(milliseconds)),
        note=f"{len(milliseconds)} single rows at random; {note}; slowest {max(milliseconds):.0f} ms",
    )
