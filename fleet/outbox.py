"""Follow-up events: staged in the transaction that decided them, relayed to Kafka after it.

The relay selects what is present and moves what Kafka acknowledged into a log, which keeps it for some days
in case Kafka is lost (hobbs/put_back). It remembers no position: a row that commits late is never skipped.
One owner per service (a session lock) keeps the order of each key.
What its own process stages wakes it; another process of the service tells it by a notification of Postgres,
which may be lost, so it looks by itself, too, less often the longer nothing came (decision 0263).
A crash between acknowledgement and delete publishes a row again, with the same event id.
"""

import asyncio
import logging
from collections.abc import Sequence, Set
from dataclasses import dataclass
from typing import Any, Self

import asyncpg
import orjson
from aiokafka import AIOKafkaProducer
from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from fleet import metrics
from fleet.database import Database, Tx
from fleet.envelope import OWN_SOURCES, Message, cloud_event_headers, headers_of
from fleet.faults import fault_point
from fleet.kafka_client import PRODUCER_TIMEOUT_S, connection, make_producer
from fleet.partitions import partition_of
from fleet.proofs import PROOF, key_of, key_of_topic, with_proof
from fleet.settings import Settings
from fleet.signals import within

VALUE_BYTES_MAX = 900_000
BATCH_ROWS = 2_000
BATCH_BYTES = 262_144  # of one partition; a larger record travels alone
POLL_S = 0.05  # how long it rests while rows come; doubled up to POLL_MOST_S while none do
POLL_MOST_S = 1.0
PRUNE_ROWS, PRUNE_EVERY_S = 1_000, 60.0
# Rows staged within this time are sent together; the first row after an idle period is sent at once.
GATHER_S = 0.01
STANDBY_S = 1.0

_log = logging.getLogger(__name__)

_STAGE = """
    INSERT INTO outbox (topic, key, value, event_id, source, correlation_id, traceparent)
    SELECT * FROM unnest(CAST(:topics AS text[]), CAST(:keys AS bytea[]), CAST(:values AS bytea[]),
                         CAST(:ids AS uuid[]), CAST(:sources AS text[]), CAST(:correlations AS text[]),
                         CAST(:traces AS text[]))
"""
_STAGE_NAMED = """
    INSERT INTO outbox (topic, key, value, raw_headers)
    SELECT topic, key, value, CAST(headers AS jsonb)
    FROM unnest(CAST(:topics AS text[]), CAST(:keys AS bytea[]), CAST(:values AS bytea[]),
                CAST(:headers AS text[])) WITH ORDINALITY AS message (topic, key, value, headers, place)
    ORDER BY place
"""


async def stage(tx: Tx, messages: Sequence[Message]) -> None:
    """Stage messages in their order, in one statement. Stage after taking the aggregate's lock."""
    if not messages:
        return
    await tx.execute(
        _STAGE,
        topics=[m.topic for m in messages],
        keys=[m.key.encode() for m in messages],
        values=[_body(m) for m in messages],
        ids=[m.event_id for m in messages],
        sources=[m.source or OWN_SOURCES + tx.service for m in messages],
        correlations=[m.cause.correlation_id for m in messages],
        traces=[m.cause.traceparent for m in messages],
    )
    tx.wake_outbox()
    await fault_point("outbox.staged")


async def stage_named(tx: Tx, messages: Sequence[Message]) -> None:
    """Stage messages that name the content a repeat must equal: their headers are written out here."""
    if not messages:
        return
    headers = [{name: value.decode() for name, value in headers_of(m, tx.service)} for m in messages]
    await tx.execute(
        _STAGE_NAMED,
        topics=[m.topic for m in messages],
        keys=[m.key.encode() for m in messages],
        values=[_body(m) for m in messages],
        headers=[orjson.dumps(said).decode() for said in headers],
    )
    tx.wake_outbox()
    await fault_point("outbox.staged")


def _body(message: Message) -> bytes:
    value = message.body
    if len(value) > VALUE_BYTES_MAX:
        raise ValueError(f"{message.topic} event of {len(value)} bytes; the limit is {VALUE_BYTES_MAX}")
    return value


_SELECT = text("""
    SELECT id, topic, key, value, event_id, source, correlation_id, traceparent, raw_headers, staged_at
    FROM outbox ORDER BY id LIMIT :most
""")
# A row whose place in the log is taken must not stop the relay: it is in the log.
_MOVE = text("""
    WITH sent AS (DELETE FROM outbox WHERE id = ANY (CAST(:ids AS bigint[])) RETURNING *)
    INSERT INTO outbox_sent (id, topic, key, value, event_id, source, correlation_id, traceparent,
                             raw_headers, staged_at)
    SELECT id, topic, key, value, event_id, source, correlation_id, traceparent, raw_headers, staged_at
    FROM sent
    ON CONFLICT ON CONSTRAINT sent_row_has_its_place DO NOTHING
""")
_DELETE = text("DELETE FROM outbox WHERE id = ANY (CAST(:ids AS bigint[]))")
# Only the lowest places are looked at: a log of which nothing is old must not be read each time.
_PRUNE = text("""
    WITH first AS (SELECT id, sent_at FROM outbox_sent ORDER BY id LIMIT :most)
    DELETE FROM outbox_sent USING first
    WHERE outbox_sent.id = first.id AND first.sent_at < now() - make_interval(days => :days)
""")
# When a power cut undoes a move, its rows are published again under the same ids: no need to wait for it.
_RELAXED = text("SET synchronous_commit = off")
_LOCK = text("SELECT pg_try_advisory_lock(hashtextextended(:name, 0))")
_NOTIFY = text("SELECT pg_notify(:channel, '')")


class OutboxRelay:
    """Moves one service's outbox to Kafka. `run` returns only when cancelled."""

    def __init__(
        self,
        database: Database,
        kafka: dict[str, Any],
        topic_prefix: str,
        *,
        kept_days: int,
        proof_key: bytes = b"",
    ) -> None:
        """kept_days: how long the log keeps what was sent; 0: there is none.

        proof_key: proves that what is published is this service's (proofs.py); empty: nothing does.
        """
        self._kept_days = kept_days
        self._proof_key = proof_key
        self._topic_keys: dict[str, bytes] = {}
        self._prune_at = 0.0  # by the event loop's clock
        self._database = database
        self._kafka = kafka
        self._prefix = topic_prefix
        self._channel = f"outbox_{database.schema}"
        self._wake = asyncio.Event()
        database.on_staged = self._wake.set

    @classmethod
    def of(cls, database: Database, settings: Settings) -> Self:
        """The relay of a service with these settings."""
        return cls(
            database,
            connection(settings),
            settings.topic_prefix,
            kept_days=settings.outbox_kept_days,
            proof_key=key_of(settings.publisher_key),
        )

    async def run(self) -> None:
        """Own the lock, relay, and start over with a new producer whenever anything breaks."""
        pause = STANDBY_S
        while True:
            try:
                async with self._database.session() as session:
                    if await self._owns(session):
                        await self._relay(session)
                    else:
                        await self._stand_by(session)
                pause = STANDBY_S
                continue
            except Exception:  # an outage of Kafka or Postgres; the rows wait
                _log.exception("outbox relay stopped", extra={"retry_in_s": pause})
                metrics.OUTBOX_FAILURES.labels(self._database.schema).inc()
                pause = min(pause * 2, 10.0)
            await asyncio.sleep(pause)

    async def _owns(self, session: AsyncConnection) -> bool:
        name = f"outbox:{self._database.schema}"
        return bool((await session.execute(_LOCK, {"name": name})).scalar_one())

    async def _stand_by(self, session: AsyncConnection) -> None:
        """Tell the owner, for a while, what this process stages."""
        await session.execute(_RELAXED)
        end = asyncio.get_running_loop().time() + STANDBY_S
        while (left := end - asyncio.get_running_loop().time()) > 0:
            if await self._rest(left):
                self._wake.clear()
                await session.execute(_NOTIFY, {"channel": self._channel})
                await asyncio.sleep(GATHER_S)

    async def _listen(self, session: AsyncConnection) -> None:
        """Be woken by what other processes of the service stage."""
        raw = await session.get_raw_connection()
        connection: asyncpg.Connection[asyncpg.Record] = raw.driver_connection
        await connection.add_listener(self._channel, lambda *_: self._wake.set())

    async def _relay(self, session: AsyncConnection) -> None:
        # A producer that met a fatal error stays broken: each time the lock is taken it is a new one.
        producer = make_producer(self._kafka, timeout_s=PRODUCER_TIMEOUT_S, batch_bytes=BATCH_BYTES)
        try:
            await producer.start()
            await session.execute(_RELAXED)
            await self._listen(session)
            await fault_point("outbox.owned")
            pause = POLL_S
            while True:
                self._wake.clear()
                relayed = await self._relay_batch(session, producer)
                await self._prune_if_due(session)
                if 0 < relayed < BATCH_ROWS:
                    await asyncio.sleep(GATHER_S)
                if relayed < BATCH_ROWS:
                    await self._rest(pause)
                pause = POLL_S if relayed else min(2 * pause, POLL_MOST_S)
        finally:
            await producer.stop()  # also one whose start failed, which `async with` would leave open

    async def _rest(self, most_s: float) -> bool:
        """Wait until something is staged, or for so long; whether something was."""
        return await within(most_s, self._wake)

    async def _relay_batch(self, session: AsyncConnection, producer: AIOKafkaProducer) -> int:
        rows = (await session.execute(_SELECT, {"most": BATCH_ROWS})).all()
        if not rows:
            return 0
        await fault_point("outbox.selected")
        sending = await self._send(producer, rows)
        await fault_point("outbox.sending")
        results = await asyncio.gather(*(batch.sent for batch in sending), return_exceptions=True)
        done = _acknowledged_prefixes(rows, _failures(sending, results))
        await fault_point("outbox.acknowledged")
        if done:
            await session.execute(_MOVE if self._kept_days else _DELETE, {"ids": done})
            metrics.OUTBOX_RELAYED.labels(self._database.schema).inc(len(done))
        await fault_point("outbox.deleted")
        failures = [r for r in results if isinstance(r, BaseException)]
        if failures:
            raise failures[0]
        return len(rows)

    async def _prune_if_due(self, session: AsyncConnection) -> None:
        """Delete the oldest of what was sent, some at a time; at once again while there is more."""
        now = asyncio.get_running_loop().time()
        if now < self._prune_at:
            return
        pruned = await session.execute(_PRUNE, {"most": PRUNE_ROWS, "days": self._kept_days})
        self._prune_at = now if pruned.rowcount == PRUNE_ROWS else now + PRUNE_EVERY_S

    async def _send(self, producer: AIOKafkaProducer, rows: Sequence[Row[Any]]) -> list["_Sending"]:
        """Hand rows to the producer by the batch: a future for each would cost more than the record."""
        filling: dict[tuple[str, int], _Filling] = {}
        sending: list[_Sending] = []
        before: dict[tuple[str, int], asyncio.Future[Any]] = {}
        partitions = {topic: await self._partitions(producer, topic) for topic in {row.topic for row in rows}}
        for number, row in enumerate(rows):
            place = self._prefix + row.topic, partition_of(row.key, partitions[row.topic])
            batch = filling.get(place) or filling.setdefault(place, _Filling(producer))
            headers = self._headers(row)
            if not batch.append(number, row, headers):
                sending.append(await batch.submit(producer, place, before.get(place)))
                before[place] = sending[-1].sent
                filling[place] = batch = _Filling(producer)
                batch.append(number, row, headers)
        for place, batch in filling.items():
            sending.append(await batch.submit(producer, place, before.get(place)))
        return sending

    def _headers(self, row: Row[Any]) -> list[tuple[str, bytes]]:
        headers = _headers(row)
        if not self._proof_key or any(name == PROOF for name, _ in headers):  # a redriven one has its own
            return headers
        key = self._topic_keys.get(row.topic)
        if key is None:
            key = self._topic_keys[row.topic] = key_of_topic(self._proof_key, row.topic)
        return with_proof(key, row.topic, headers, row.key, row.value)

    async def _partitions(self, producer: AIOKafkaProducer, topic: str) -> int:
        return len(await producer.partitions_for(self._prefix + topic))


class _Filling:
    """A batch of one partition, and which rows are in it."""

    def __init__(self, producer: AIOKafkaProducer) -> None:
        self._batch = producer.create_batch()
        self._numbers: list[int] = []

    def append(self, number: int, row: Row[Any], headers: list[tuple[str, bytes]]) -> bool:
        """False: the batch is full. The first record always fits."""
        key = b"" if row.key is None and row.value is None else row.key  # aiokafka sends no empty record
        if self._batch.append(timestamp=None, key=key, value=row.value, headers=headers) is None:
            return False
        self._numbers.append(number)
        return True

    async def submit(
        self, producer: AIOKafkaProducer, place: tuple[str, int], before: "asyncio.Future[Any] | None"
    ) -> "_Sending":
        """Send it when the batch `before` it is acknowledged: it must not overtake one that fails."""
        self._batch.close()
        topic, partition = place
        if before is None:
            sent = await producer.send_batch(self._batch, topic, partition=partition)
        else:
            sent = asyncio.ensure_future(self._send_after(before, producer, place))
        return _Sending(numbers=self._numbers, sent=sent)

    async def _send_after(
        self, before: "asyncio.Future[Any]", producer: AIOKafkaProducer, place: tuple[str, int]
    ) -> None:
        await asyncio.shield(before)
        topic, partition = place
        await (await producer.send_batch(self._batch, topic, partition=partition))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sending:
    """A batch under way: the rows in it, and the future that ends with Kafka's acknowledgement."""

    numbers: Sequence[int]
    sent: "asyncio.Future[Any]"


def _failures(sending: Sequence[_Sending], results: Sequence[Any]) -> set[int]:
    """The rows whose batches failed."""
    failed = [batch for batch, end in zip(sending, results, strict=True) if isinstance(end, BaseException)]
    return {number for batch in failed for number in batch.numbers}


def _acknowledged_prefixes(rows: Sequence[Row[Any]], failures: Set[int]) -> list[int]:
    """Ids that may be deleted: of each key, those before its first failure."""
    if not failures:
        return [row.id for row in rows]
    done: list[int] = []
    failed: set[tuple[str, bytes | None]] = set()
    for number, row in enumerate(rows):
        if number in failures:
            failed.add((row.topic, row.key))
        elif (row.topic, row.key) not in failed:
            done.append(row.id)
    return done


def _headers(row: Row[Any]) -> list[tuple[str, bytes]]:
    if row.raw_headers is not None:
        return [(name, value.encode()) for name, value in row.raw_headers.items()]
    return cloud_event_headers(
        event_id=row.event_id,
        source=row.source,
        topic=row.topic,
        at=row.staged_at,
        correlation_id=row.correlation_id,
        traceparent=row.traceparent,
    )
