"""Kafka consumers on FastStream, with its loss-prone defaults replaced.

* NACK_ON_ERROR once on the broker, and a pause of ours before each re-read: FastStream has neither backoff
  nor an attempt limit.
* A parser that shows FastStream no header, and a decoder that hands over raw records: typed handlers reject
  a whole batch for one bad record, and an undecodable header loses the batch.
* A consumer that no exception makes lose records, and that reads only what is committed (fleet/reader.py).
* Offsets are committed inside the batch's lock, and a rebalance waits for that lock: a batch in flight ends
  and commits before its partitions move.
"""

import asyncio
import dataclasses
import logging
import random
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any

from aiokafka.errors import ConsumerStoppedError, KafkaError
from faststream import AckPolicy
from faststream.exceptions import IgnoredException
from faststream.kafka import KafkaBroker

from fleet import kafka_client, metrics, signals
from fleet.envelope import Record
from fleet.faults import fault_point
from fleet.member import BACKOFF_FIRST_S, BACKOFF_MAX_S, Consumer, DrainOnRebalance, First
from fleet.raw_records import record_of
from fleet.reader import Reader
from fleet.settings import Settings
from fleet.shared_batches import SharedBatches

POLL_MS = 1_000
EMPTY_MS = 10  # FastStream sleeps this long after a poll that found nothing
PARTITION_BYTES, FETCH_BYTES = 2**21, 2**22  # a full batch from one partition; what a member has at hand
# Records that arrive within this time share a batch; the first one after an idle period waits no longer.
GATHER_S = 0.01
FETCH_AGAIN_S = 1.0  # after a fetch that raised
STUCK_AFTER_S, BATCH_AGE_MAX_S = 120.0, 60.0
AFTER_POLL_S, AFTER_MAX_S = 0.2, 30.0
BATCH_ENDS_WITHIN_S = 15.0
LEAVE_S = BATCH_ENDS_WITHIN_S + 1  # within worker.DRAIN_S

_log = logging.getLogger(__name__)


class _ReadAgain(IgnoredException):
    """Makes FastStream seek back to the batch; the failure is in the log already, so it adds no line."""


class Consumers:
    """All consumers of one process, each in the group `<prefix><service>.<topic>`."""

    def __init__(self, service: str, settings: Settings) -> None:
        self._service = service
        self._settings = settings
        self._consumers: list[Consumer] = []
        self._broker: KafkaBroker | None = None
        self._stopping = asyncio.Event()
        self.may_begin: Callable[[], bool] = lambda: True  # nothing is handled before
        self.name_of: Callable[[str], str] = lambda topic: settings.topic_prefix + topic  # at the brokers

    def add(self, consumer: Consumer) -> None:
        self._consumers.append(consumer)
        metrics.start_topic(self._service, consumer.topic)

    async def run(self, stopping: asyncio.Event) -> None:
        """Consume until `stopping`; raises when Kafka cannot be reached at the start."""
        self._stopping = stopping
        broker = self._build()
        starting = asyncio.create_task(broker.start())
        told = asyncio.create_task(stopping.wait())
        try:
            await asyncio.wait([starting, told], return_when=asyncio.FIRST_COMPLETED)
            if starting.done():
                starting.result()
                self._broker = broker
                await told
        finally:
            self._broker = None
            await asyncio.wait([starting], timeout=1.0)  # aiokafka closes no connection that it is making
            await _leave(broker)
            starting.cancel()
            told.cancel()

    async def stop(self) -> None:
        """Wait for the batches in flight; `run` then leaves the groups."""
        await fault_point("consumer.draining")
        for consumer in self._consumers:
            async with consumer.busy:
                await consumer.write_positions()

    def stuck(self) -> str | None:
        """Name consumers that have not polled for long, or can read no more; None when all live."""
        working = self._consumers if self._broker else []
        late = [c.topic for c in working if c.poll_age_s() > STUCK_AFTER_S]
        ended = [c.topic for c in working if c.has_ended()]
        said = [f"no poll for {STUCK_AFTER_S:g} s: {', '.join(late)}"] if late else []
        return "; ".join([*said, *(f"nothing is read any more: {topic}" for topic in ended)]) or None

    def unhandled(self) -> str | None:
        """Name topics whose batch has not been handled for long; None when there is none."""
        late = sorted({c.topic for c in self._consumers if c.batch_age_s() > BATCH_AGE_MAX_S})
        if not late:
            return None
        return (
            f"no batch handled for over {BATCH_AGE_MAX_S:g} s: {', '.join(late)}; who holds the locks says "
            "docs/operations/postgres.md, A batch that does not end"
        )

    def unread(self) -> str | None:
        """Say which partitions cannot be read, and why; None when all can."""
        troubles = [one for consumer in self._consumers for one in consumer.troubles()]
        return "; ".join(troubles) or None

    def not_joined(self) -> str | None:
        """Say that the groups are not joined; None when every topic's is, or there is none to join."""
        if self._broker or not self._consumers:
            return None
        return f"not consuming yet: {', '.join(c.topic for c in self._consumers)}"

    async def write_positions(self) -> None:
        """Write how far each member is, of what was not written with a batch."""
        for consumer in self._consumers:
            await consumer.write_positions(only_if_due=True)

    def measure(self) -> None:
        """Set the lag and poll-age gauges."""
        for topic in {consumer.topic for consumer in self._consumers}:
            members = self._members(topic)
            metrics.POLL_AGE.labels(self._service, topic).set(max(member.poll_age_s() for member in members))
            metrics.CONSUMER_LAG.labels(self._service, topic).set(sum(member.lag() for member in members))
            metrics.BATCH_AGE.labels(self._service, topic).set(max(m.batch_age_s() for m in members))
            metrics.OLDEST_AGE.labels(self._service, topic).set(max(m.oldest_age_s() for m in members))
            metrics.UNREAD.labels(self._service, topic).set(sum(len(member.troubles()) for member in members))

    def _members(self, topic: str) -> list[Consumer]:
        return [consumer for consumer in self._consumers if consumer.topic == topic]

    def _build(self) -> KafkaBroker:
        broker = _Broker(
            ack_policy=AckPolicy.NACK_ON_ERROR,
            allow_auto_create_topics=False,
            consumer_only=True,  # what a service publishes goes through its outbox
            metadata_max_age_ms=kafka_client.METADATA_AGE_MS,
            graceful_timeout=BATCH_ENDS_WITHIN_S,
            parser=_parse_safely,
            decoder=_hand_over,
            apply_types=False,
            logger=logging.getLogger("faststream"),
            log_level=logging.DEBUG,
        )
        broker.brokers = kafka_client.connection(self._settings)
        for consumer in self._consumers:
            self._subscribe(broker, consumer)
        return broker

    def _subscribe(self, broker: KafkaBroker, consumer: Consumer) -> None:
        subscriber = broker.subscriber(
            self.name_of(consumer.topic),
            batch=True,
            group_id=f"{self._settings.topic_prefix}{self._service}.{consumer.topic}",
            auto_offset_reset="earliest",
            batch_timeout_ms=EMPTY_MS,
            max_records=consumer.batch_max,
            max_partition_fetch_bytes=PARTITION_BYTES,
            fetch_max_bytes=FETCH_BYTES,
            session_timeout_ms=int(self._settings.kafka_session_timeout_s * 1000),
            heartbeat_interval_ms=min(3_000, int(self._settings.kafka_session_timeout_s * 1000) // 3),
            max_poll_interval_ms=300_000,
            listener=DrainOnRebalance(consumer),
        )

        async def handle(message: Any) -> None:
            async with consumer.busy:
                await self._process(consumer, message)
            behind = _is_behind(consumer, message.raw_message)
            message.raw_message = ()  # the message outlives its batch (docs/decisions/0143)
            consumer.rested = not behind and await consumer.shared.rest()

        get_message = subscriber.get_msg

        async def gather(kafka: Any) -> Any:
            if "getmany" not in vars(kafka):  # its first poll
                _gather_polls(consumer, self._service)
            return await get_message(kafka)

        subscriber(handle)
        subscriber.get_msg = gather  # type: ignore[assignment, method-assign]
        consumer.subscriber = subscriber

    async def _process(self, consumer: Consumer, message: Any) -> None:
        records = [record_of(raw, consumer.topic) for raw in message.raw_message]
        try:
            begins = self.may_begin() and (not consumer.after or await self._after_others(consumer))
        except Exception as error:  # an outage: asked again
            _log.warning("not begun", extra={"topic": consumer.topic, "error": type(error).__name__})
            begins = False
        if not begins:
            await asyncio.sleep(AFTER_POLL_S)
            raise _ReadAgain
        consumer.batch_since = consumer.batch_since or time.monotonic()
        try:
            await fault_point("consumer.polled", consumer.topic)
            with metrics.BATCH_SECONDS.labels(self._service, consumer.topic).time():
                await self._handle(consumer, records)
            await fault_point("consumer.handled", consumer.topic)
        except Exception as error:
            metrics.BATCH_FAILURES.labels(self._service, consumer.topic).inc()
            await self._back_off(consumer, records)
            raise _ReadAgain from error
        consumer.failures, consumer.batch_since = 0, None
        if consumer.positions:
            consumer.positions.passed(records)
        await consumer.write_positions(only_if_due=True)
        try:
            await message.ack()
            await fault_point("consumer.acknowledged")
        except KafkaError as error:  # the group moved on; the batch comes again and the inbox knows it
            _log.warning("offsets not committed", extra={"topic": consumer.topic, "error": str(error)})

    async def _handle(self, consumer: Consumer, records: Sequence[Record]) -> None:
        shared = consumer.shared
        if not _is_behind(consumer, records):
            await shared.handle(consumer, records)
        elif self._reads_all_of(consumer.topic):
            shared.withdraw(consumer)
            await shared.handler(records)
        else:
            await shared.handle_in_turn(consumer, records)

    async def _after_others(self, consumer: Consumer) -> bool:
        """Whether the topics that come first are handled as far as they went; asked until it is so once.

        After a restore all topics are read again at once: without this, flights would be read before the
        school's rates. A topic that does not advance is not waited for longer than AFTER_MAX_S.
        """
        for first in consumer.after:
            if not await self._is_handled(first, consumer):
                if time.monotonic() - first.advanced_at < AFTER_MAX_S:
                    return False
                _log.warning("not waited for any longer", extra={"topic": first.topic, "for": consumer.topic})
        consumer.after = ()
        return True

    async def _is_handled(self, first: First, consumer: Consumer) -> bool:
        assert consumer.positions is not None
        if first.service and not consumer.positions.reads_again:
            return True
        if first.ends is None:
            kafka = consumer.reader()
            assert kafka is not None  # it gave us a record
            first.advanced_at = time.monotonic()
            first.ends = await kafka.ends_of(self.name_of(first.topic))
        for member in self._members(first.topic) if first.service is None else ():
            await member.write_positions()
        missing = await consumer.positions.missing(first.topic, first.ends, service=first.service)
        if first.missing is None or missing < first.missing:
            first.missing, first.advanced_at = missing, time.monotonic()
        return missing == 0

    def _reads_all_of(self, topic: str) -> bool:
        """Whether this process has every partition: beside another, a second member only waits for locks."""
        started = [kafka for member in self._members(topic) if (kafka := member.subscriber.consumer)]
        there = started[0].partitions_for_topic(self.name_of(topic)) if started else None
        return there is None or sum(len(kafka.assignment()) for kafka in started) == len(there)

    async def _back_off(self, consumer: Consumer, records: Sequence[Record]) -> None:
        pause = min(BACKOFF_FIRST_S * 2**consumer.failures, BACKOFF_MAX_S) * random.uniform(0.7, 1.3)
        consumer.failures += 1
        first = records[0]
        _log.exception(
            "batch failed and is read again",
            extra={
                "topic": consumer.topic,
                "partition": first.partition,
                "offset": first.offset,
                "records": len(records),
                "attempt": consumer.failures,
                "retry_in_s": round(pause, 2),
            },
        )
        await signals.pause(self._stopping, pause)


def _is_behind(consumer: Consumer, records: Sequence[Any]) -> bool:
    """Whether this is a backlog, half of the largest batch: members then share none and do not pause."""
    return len(records) >= consumer.batch_max / 2


class _Broker(KafkaBroker):
    """FastStream's broker with our consumer, which logs in as our producers do."""

    brokers: Mapping[str, Any]

    async def _connect(self) -> Any:
        made = await super()._connect()
        self.config.broker_config.builder = partial(Reader, **made.keywords | self.brokers)  # type: ignore[attr-defined]
        return self.config.broker_config.builder

    async def start(self) -> None:
        """Start all members at once: one after another, each would wait for the group of the one before."""
        await self.connect()
        async with asyncio.TaskGroup() as starting:  # when one fails, none goes on
            for subscriber in self.subscribers:
                starting.create_task(subscriber.start())
        self.running = True


async def _leave(broker: KafkaBroker) -> None:
    """Leave the groups, for as long as a drain may take.

    Joining a group waits for members that were killed, up to their session's end, and aiokafka does not leave
    before it has joined. Then the broker finds out by itself that we are gone.
    """
    leaving = asyncio.create_task(broker.stop())
    await asyncio.wait([leaving], timeout=LEAVE_S)
    if leaving.done():
        leaving.result()
    else:
        _log.warning("stopped while a group was waiting for its members")
        leaving.cancel()


async def _parse_safely(message: Any, original: Callable[[Any], Awaitable[Any]]) -> Any:
    """Show FastStream one record without headers: it would decode all of them, and lose a batch for one.

    The batch itself is what it acknowledges, and what the handler gets.
    """
    parsed = await original((dataclasses.replace(message[0], headers=()),))
    parsed.raw_message = message
    return parsed


async def _hand_over(message: Any) -> Any:
    return message


def _gather_polls(consumer: Consumer, service: str) -> None:
    """Wait longer for the first record than FastStream would, and add the records that came during a pause.

    aiokafka fetches nothing while a fetched record of any partition waits to be taken: what comes in the
    pause after a batch would wait for the batch after the next one. Members whose pause ended together gather
    until the same instant.
    """
    kafka, shared = consumer.subscriber.consumer, consumer.shared
    getmany = kafka.getmany

    async def polled(*, timeout_ms: int, max_records: int) -> dict[Any, list[Any]]:
        consumer.polled_at = time.monotonic()
        shared.withdraw(consumer)
        rested, consumer.rested = consumer.rested, False
        assignments = consumer.assignments
        if not await consumer.place():
            return {}
        try:
            found: dict[Any, list[Any]] = await getmany(timeout_ms=POLL_MS, max_records=max_records)
        except ConsumerStoppedError:
            raise
        except Exception as error:  # positions are where they were; FastStream would pause for 5 or 15 s
            _log.warning("a fetch failed", extra={"topic": consumer.topic, "error": str(error)})
            metrics.FETCH_FAILURES.labels(service, consumer.topic).inc()
            await asyncio.sleep(FETCH_AGAIN_S)
            return {}
        if consumer.moved_since(assignments):  # perhaps not from where the database ends
            kafka.put_back(found)
            return {}
        if not found:
            consumer.batch_since = None  # what was in hand is another member's now
            passed = await kafka.commit_what_was_passed()
            if consumer.positions:
                consumer.positions.reached({place.partition: offset for place, offset in passed.items()})
            return found
        shared.announce(consumer)
        until = _gathers_until(shared)
        while rested and (left_s := until - time.monotonic()) > 0:
            room = max_records - sum(map(len, found.values()))
            if not room:
                break
            try:
                more = await getmany(timeout_ms=max(round(left_s * 1000), 1), max_records=room)
            except Exception as error:  # what was taken must be handled: a later batch would commit past it
                _log.warning("a poll failed", extra={"topic": consumer.topic, "error": str(error)})
                break
            if consumer.moved_since(assignments):
                kafka.put_back(more)
                break
            for place, records in more.items():
                found.setdefault(place, []).extend(records)
        return found

    kafka.getmany = polled


def _gathers_until(shared: SharedBatches) -> float:
    """When to stop gathering: one instant for members whose pause just ended; a later one gathers as long."""
    now, until = time.monotonic(), shared.rests_until + GATHER_S
    return until if until > now else now + GATHER_S
