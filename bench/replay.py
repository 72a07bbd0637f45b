"""A million duplicate records at one ledger worker: its speed and its memory.

Distinct requests are posted first. Then the same records, byte for byte, are produced again until there are a
million, and the inbox gets a million other events, so that its index has a realistic size.
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import asyncpg
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from bench import journals, processes
from bench.figures import Figure, at_most
from bench.flights import until
from bench.processes import Footprint, Shares, footprint, percentages
from bench.servers import Deployment, deployed
from fleet.envelope import Record
from hobbs.local.stack import Stack
from services.ledger.wire.journals import REQUESTED

DISTINCT, TIMES = 25_000, 40
REPLAYED = DISTINCT * TIMES
OTHERS = 1_000_000
BATCH_BYTES = 500_000
BARE_S = 6.0
WITHIN_S = 120.0


async def measure(stack: Stack) -> list[Figure]:
    """Post requests, fill the inbox, produce duplicates; read them bare, then with the worker."""
    async with deployed(stack) as deployment:
        owner = await deployment.connect()
        try:
            records = journals.requests(DISTINCT)
            await fill_inbox(owner, OTHERS // 2)
            deployment.start("ledger")
            await produce(deployment, records, times=1)
            await until(owner, "SELECT count(*) FROM ledger.journal", DISTINCT)
            deployment.stop()
            await fill_inbox(owner, OTHERS // 2)
            await produce(deployment, records, times=TIMES)
            bare = await read_bare(deployment)
            replayed = await replay(deployment)
            journals_now: int = await owner.fetchval("SELECT count(*) FROM ledger.journal")
        finally:
            await owner.close()
    return figures(replayed, bare, journals_now - DISTINCT)


async def fill_inbox(owner: asyncpg.Connection, count: int) -> None:
    await owner.execute(_FILL, count)
    await owner.execute("VACUUM ANALYZE ledger.inbox")


_FILL = """
    INSERT INTO ledger.inbox (event_key, payload_hash)
    SELECT uuidv7(), sha256(int8send(n)) FROM generate_series(1, CAST($1 AS bigint)) AS n
"""


async def produce(deployment: Deployment, records: Sequence[Record], *, times: int) -> None:
    """Produce the records `times` times, in whole batches, each on its partition."""
    topic = requested(deployment)
    producer = AIOKafkaProducer(
        bootstrap_servers=deployment.fleet.kafka_bootstrap, acks=1, max_batch_size=BATCH_BYTES
    )
    of_partition: dict[int, list[Record]] = {}
    for record in records:
        of_partition.setdefault(record.partition, []).append(record)
    async with producer:
        for _ in range(times):
            sent = [await send(producer, topic, place, some) for place, some in of_partition.items()]
            await asyncio.gather(*(future for futures in sent for future in futures))


async def send(
    producer: AIOKafkaProducer, topic: str, partition: int, records: Sequence[Record]
) -> list["asyncio.Future[object]"]:
    """Send the records of one partition in their order."""
    sent = []
    batch = producer.create_batch()
    for record in records:
        headers = [(name, value.encode()) for name, value in record.headers.items()]
        row = {"key": record.key, "value": record.value, "headers": headers, "timestamp": None}
        if batch.append(**row) is None:
            sent.append(await producer.send_batch(batch, topic, partition=partition))
            batch = producer.create_batch()
            batch.append(**row)
    sent.append(await producer.send_batch(batch, topic, partition=partition))
    return sent


def requested(deployment: Deployment) -> str:
    return f"{deployment.fleet.topic_prefix}{REQUESTED}"


def places(deployment: Deployment) -> list[TopicPartition]:
    return [TopicPartition(requested(deployment), number) for number in range(journals.PARTITIONS)]


async def read_bare(deployment: Deployment) -> float:
    """Records a second of a consumer that only reads."""
    kafka = deployment.fleet.kafka_bootstrap
    async with AIOKafkaConsumer(bootstrap_servers=kafka, auto_offset_reset="earliest") as consumer:
        consumer.assign(places(deployment))
        began, count = time.monotonic(), 0
        while time.monotonic() - began < BARE_S:
            count += sum(map(len, (await consumer.getmany(timeout_ms=200)).values()))
        return count / (time.monotonic() - began)


@dataclass(slots=True, kw_only=True)
class Replay:
    """The worker's progress through the duplicates: instants with the records left, and its memory."""

    left: list[tuple[float, int]] = field(default_factory=list)
    memory: list[Footprint] = field(default_factory=list)
    shares: dict[str, float] = field(default_factory=dict)

    @property
    def passed(self) -> int:
        return REPLAYED - self.left[-1][1]

    @property
    def per_s(self) -> float:
        """Records a second, from the first progress seen to the end."""
        (began, most), (ended, least) = self.left[0], self.left[-1]
        return (most - least) / (ended - began)


async def replay(deployment: Deployment) -> Replay:
    """Start the worker and watch its group's offsets until nothing is left, or the time is over."""
    admin = AIOKafkaAdminClient(bootstrap_servers=deployment.fleet.kafka_bootstrap)
    await admin.start()
    [worker] = deployment.start("ledger")
    shares, seen = Shares(processes.pids(deployment.stack, [worker])), Replay()
    seen.memory.append(footprint(worker.pid))
    deadline = time.monotonic() + WITHIN_S
    try:
        while (not seen.left or seen.left[-1][1] > 0) and time.monotonic() < deadline:
            await asyncio.sleep(0.2)
            left = await records_left(admin, deployment)
            if left < REPLAYED:
                seen.left.append((time.monotonic(), left))
            seen.memory.append(footprint(worker.pid))
        seen.shares = shares.look()
        await asyncio.sleep(1.0)
        seen.memory.append(footprint(worker.pid))
    finally:
        await admin.close()
    return seen


async def records_left(admin: AIOKafkaAdminClient, deployment: Deployment) -> int:
    """Records that the group has not committed yet."""
    group = f"{deployment.fleet.topic_prefix}ledger.{REQUESTED}"
    committed = await admin.list_consumer_group_offsets(group)
    passed: int = sum(at.offset for at in committed.values() if at.offset > 0)
    return DISTINCT * (1 + TIMES) - passed


def figures(seen: Replay, bare: float, more: int) -> list[Figure]:
    before, after = seen.memory[0], seen.memory[-1]
    return [
        Figure(
            name="replay of duplicates",
            value=seen.per_s,
            unit="records/s",
            baseline=("a bare consumer, records/s", bare),
            note=f"{seen.passed:,} records, {DISTINCT:,} requests again and again, one ledger worker, "
            f"{OTHERS:,} other events in the inbox; {percentages(seen.shares)}",
        ),
        Figure(
            name="replay of duplicates, memory",
            value=after.peak,
            unit="MiB, most",
            baseline=("before, MiB", before.resident),
            note=f"{after.resident:.0f} MiB a second after the last record",
        ),
        Figure(
            name="replay of duplicates, journals it posted", value=more, unit="journals", limit=at_most(0)
        ),
    ]
