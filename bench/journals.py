"""Requests for three-entry journals that all touch the platform's wallet, and recordings of their posting.

A recording holds every statement that the ledger's handler sent, with its parameters. Sent again to another
database without Hobbs it is the bare loop that the worker is compared with.
"""

import asyncio
import random
import re
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import orjson
from aiokafka import AIOKafkaProducer
from aiokafka.producer.message_accumulator import BatchBuilder
from sqlalchemy import Row

from bench.servers import PUBLISHER_KEYS
from fleet.database import Database, Tx
from fleet.envelope import Record, cloud_event_headers, first_cause, uuid7
from fleet.proofs import key_of_topic, with_proof
from schemas.journals import EntryRequest, JournalRequested

TOPIC = "journal.requested"
STUDENTS, INSTRUCTORS = 2_000, 200
PARTITIONS = 12
_PROVES = key_of_topic(PUBLISHER_KEYS["billing"].encode(), TOPIC)
REPORTED_AFTER = timedelta(minutes=20)


def requests(count: int, *, seed: int = 1, shards: int = 1) -> list[Record]:
    """Records of the topic: student pays, instructor earns, the school keeps the margin.

    The same seed names the same sources and wallets again; with shards the school has several wallets.
    """
    dice = random.Random(seed)
    flown_at = datetime.now(UTC) - REPORTED_AFTER
    return [request_record(f"{seed}-{number}", number, flown_at, dice, shards) for number in range(count)]


def request_record(flight: str, number: int, flown_at: datetime, dice: random.Random, shards: int) -> Record:
    school = "platform:school"
    payout, margin = dice.randrange(5_000, 30_000), dice.randrange(1_000, 20_000)
    event = JournalRequested(
        source=f"flight:{flight}:1",
        event_type="flight",
        currency="USD",
        occurred_at=flown_at,
        entries=[
            EntryRequest(wallet=f"student:s-{dice.randrange(STUDENTS)}", amount=-(payout + margin)),
            EntryRequest(wallet=f"instructor:i-{dice.randrange(INSTRUCTORS)}", amount=payout),
            EntryRequest(wallet=school if shards == 1 else f"{school}-{number % shards}", amount=margin),
        ],
        memo=f"flight {flight}",
    )
    return record_of(event, number, flown_at)


def record_of(event: JournalRequested, number: int, at: datetime) -> Record:
    """The record of a request, as billing publishes and proves it."""
    cause = first_cause()
    headers = cloud_event_headers(
        event_id=uuid7(),
        source="hobbs/billing",
        topic=TOPIC,
        at=at,
        correlation_id=cause.correlation_id,
        traceparent=cause.traceparent,
    )
    key, value = event.source.encode(), event.model_dump_json().encode()
    return Record(
        topic=TOPIC,
        partition=number % PARTITIONS,
        offset=number,
        key=key,
        value=value,
        headers={name: said.decode() for name, said in with_proof(_PROVES, TOPIC, headers, key, value)},
        timestamp=at,
    )


@asynccontextmanager
async def producing(bootstrap: str) -> AsyncIterator[AIOKafkaProducer]:
    """A producer with large batches."""
    async with AIOKafkaProducer(
        bootstrap_servers=bootstrap, acks=1, linger_ms=5, max_batch_size=262_144
    ) as producer:
        yield producer


async def produce(producer: AIOKafkaProducer, prefix: str, records: Sequence[Record]) -> None:
    """Put records on their topic, spread over its partitions, and wait until Kafka has them.

    It sends whole batches: a future for each record would cost a tenth of a core, which the worker needs.
    """
    filling: dict[tuple[str, int], BatchBuilder] = {}
    sent = []
    for record in records:
        place = prefix + record.topic, record.partition
        headers = [(name, value.encode()) for name, value in record.headers.items()]
        while True:
            batch = filling.get(place) or filling.setdefault(place, producer.create_batch())
            if batch.append(timestamp=None, key=record.key, value=record.value, headers=headers):
                break
            sent.append(await producer.send_batch(filling.pop(place), place[0], partition=place[1]))
    for (topic, partition), batch in filling.items():
        sent.append(await producer.send_batch(batch, topic, partition=partition))
    await asyncio.gather(*sent)


Statement = tuple[str, tuple[Any, ...]]


@dataclass(slots=True)
class Recording:
    """Transactions as the handler sent them: statements in asyncpg's form, with their parameters."""

    transactions: list[list[Statement]] = field(default_factory=list)


class RecordingTx(Tx):
    """A transaction that records the statements it sends."""

    sent: list[Statement]

    async def all(self, sql: str, /, **params: Any) -> list[Row[Any]]:
        self.sent.append(bare(sql, params))
        return await Tx.all(self, sql, **params)

    async def one(self, sql: str, /, **params: Any) -> Row[Any]:
        self.sent.append(bare(sql, params))
        return await Tx.one(self, sql, **params)

    async def first(self, sql: str, /, **params: Any) -> Row[Any] | None:
        self.sent.append(bare(sql, params))
        return await Tx.first(self, sql, **params)

    async def execute(self, sql: str, /, **params: Any) -> int:
        self.sent.append(bare(sql, params))
        return await Tx.execute(self, sql, **params)

    @asynccontextmanager
    async def savepoint(self) -> AsyncIterator[None]:
        self.sent.append(("SAVEPOINT recorded", ()))
        try:
            async with Tx.savepoint(self):
                yield
        except Exception:
            self.sent.append(("ROLLBACK TO SAVEPOINT recorded", ()))
            raise
        self.sent.append(("RELEASE SAVEPOINT recorded", ()))


@contextmanager
def recorded(db: Database) -> Iterator[Recording]:
    """Record every transaction of `db` during the block."""
    recording = Recording()
    ordinary = db.transaction

    @asynccontextmanager
    async def transaction() -> AsyncIterator[Tx]:
        async with ordinary() as tx:
            writing = RecordingTx(tx._connection, tx.service)
            writing.sent = []
            yield writing
            recording.transactions.append(writing.sent)

    db.transaction = transaction  # type: ignore[method-assign]
    try:
        yield recording
    finally:
        db.transaction = ordinary  # type: ignore[method-assign]


_PARAMETER = re.compile(r"(?<!:):([a-z_]+)")


def bare(sql: str, params: dict[str, Any]) -> Statement:
    """The statement with numbered parameters, as asyncpg expects them."""
    names: list[str] = []

    def number(found: re.Match[str]) -> str:
        if found[1] not in names:
            names.append(found[1])
        return f"${names.index(found[1]) + 1}"

    return _PARAMETER.sub(number, sql), tuple(params[name] for name in names)


async def replay(connection: asyncpg.Connection, transactions: Sequence[Sequence[Statement]]) -> float:
    """Send recorded transactions one after the other; returns seconds."""
    began = time.monotonic()
    for statements in transactions:
        await connection.execute("BEGIN")
        for sql, params in statements:
            if params:
                await connection.fetch(sql, *params)
            else:
                await connection.execute(sql)
        await connection.execute("COMMIT")
    return time.monotonic() - began


def sql_arguments(record: Record) -> tuple[str, str, str, str]:
    """Event type, event id, currency and entries, as post_journal_with_locks() takes them.

    The event type is of nobody's: a flight's journals are not for people to post.
    """
    asked = orjson.loads(record.value or b"")
    return "manual", asked["source"], asked["currency"], orjson.dumps(asked["entries"]).decode()
