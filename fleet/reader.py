"""A consumer that reads what is committed, loses no record to an exception, and names what it cannot read.

aiokafka moves positions while it hands records out, and raises when it cannot unpack one: what it had taken
from other partitions is gone. Here each answer of a broker is made readable before aiokafka sees it
(fleet/record_batches.py), and after any exception every position is where it was before the call.
"""

import asyncio
import logging
import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import (
    KafkaConnectionError,
    KafkaError,
    LeaderNotAvailableError,
    UnknownTopicOrPartitionError,
    for_code,
)
from aiokafka.protocol.fetch import FetchRequest
from aiokafka.protocol.metadata import MetadataRequest

from fleet.record_batches import Readable, TakesLong, make_readable

READ_COMMITTED: Final = "read_committed"
LOOK_AGAIN_S: Final = 2.0  # a partition that stands is tried again so often; brokers answer an error at once
ANSWERS_AGAIN_WITHIN_S: Final = 30.0  # an error of a broker's, or of the client's, is an outage until then
# To a broker that is away; Kafka's own client does the same.
CONNECT_AGAIN_FIRST_S: Final = 0.05
CONNECT_AGAIN_MAX_S: Final = 1.0
# A broker holds a fetch until there is a record, or for aiokafka's half a second. Once it had nothing so
# often, one after another, it may hold the next so long (docs/decisions/0269).
NOTHING_SO_OFTEN: Final = 10
HELD_LONGER_MS: Final = 2_000
LOOKS_ANEW_MS: Final = 1_000  # aiokafka's fetching wakes for events, and so often besides

_log = logging.getLogger(__name__)
_NO_ERROR, _OUT_OF_RANGE = 0, 1
_NOT_THERE: Final = (UnknownTopicOrPartitionError.errno, LeaderNotAvailableError.errno)  # or it is being made


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A partition of which nothing can be read: why, since when, and whether that may pass by itself."""

    why: str
    since: float
    may_pass: bool


async def partitions_of(client: Any, topics: Sequence[str]) -> dict[str, list[int]]:
    """Each topic's partitions, as brokers tell an AIOKafkaClient; a topic that is not there has none.

    aiokafka's `fetch_all_metadata` is told of every topic of the cluster: with thousands of partitions a
    tenth of a second each time. No topic is made. Raises KafkaError where no broker answers.
    """
    answer = await _first_answer(client, MetadataRequest(list(topics), allow_auto_topic_creation=False))
    found: dict[str, list[int]] = {topic: [] for topic in topics}
    for error, topic, _, partitions in answer.topics:
        if error == _NO_ERROR:
            found[topic] = sorted(partition for _, partition, *_ in partitions)
        elif error not in _NOT_THERE:
            raise for_code(error)(topic)
    return found


async def _first_answer(client: Any, request: Any) -> Any:
    """Of any broker that is there; raises what the last one said, or KafkaConnectionError."""
    nodes = [broker.nodeId for broker in client.cluster.brokers()]
    failed: KafkaError = KafkaConnectionError("no broker is known")
    for node in random.sample(nodes, len(nodes)):
        try:
            return await client.send(node, request)
        except KafkaError as error:
            failed = error
    raise failed


class Reader(AIOKafkaConsumer):  # type: ignore[misc]
    """An AIOKafkaConsumer for records of others."""

    def __init__(self, *topics: str, **options: Any) -> None:
        ours = {"isolation_level": READ_COMMITTED, "consumer_timeout_ms": LOOKS_ANEW_MS}
        super().__init__(*topics, **options | ours)
        self.standing: dict[TopicPartition, Standing] = {}
        self.failing_since: float | None = None  # of time.monotonic()
        self._committed_at: Mapping[TopicPartition, int] = {}
        self._asked: dict[TopicPartition, int] = {}  # since the last call: a position may not be known before
        self._client_send = self._client.send
        self._client.send = self._send_readable
        self._nothing: dict[int, tuple[set[TopicPartition], int]] = {}  # fetches in a row, of each broker
        self._refused = 0  # connections, one after another
        self._connected = self._client.ready
        self._client.ready = self._connected_in_time

    def has_ended(self) -> bool:
        """Whether aiokafka's coordination of the group ended by an error: every fetch raises it for ever."""
        task = getattr(self._coordinator, "_coordination_task", None)
        return task is not None and task.done() and self._closed is False

    async def getmany(self, *partitions: TopicPartition, **options: Any) -> dict[TopicPartition, list[Any]]:
        """Records of partitions; after an exception nothing was taken."""
        before, self._asked = self._positions(), {}
        try:
            found: dict[TopicPartition, list[Any]] = await super().getmany(*partitions, **options)
        except Exception:
            self.failing_since = self.failing_since or time.monotonic()
            self._go_back(self._asked | before)
            raise
        self.failing_since = None
        return found

    async def commit(self, offsets: Any = None) -> None:
        """As aiokafka's, and remember where."""
        at = self._positions()
        await super().commit(offsets)
        self._committed_at = at

    async def commit_what_was_passed(self) -> Mapping[TopicPartition, int]:
        """Commit past markers and aborted records: otherwise the group looks behind what nobody can read.

        Only for a caller that holds no record: each it was given is handled, or was sought back to. Returns
        the offsets that are committed now, when there are new ones.
        """
        if self._group_id is None or not (at := self._positions()) or at == self._committed_at:
            return {}
        try:
            await self.commit()
        except KafkaError as error:  # the group moved on
            _log.debug("offsets not committed", extra={"error": str(error)})
            return {}
        return at

    def troubles(self) -> list[str]:
        """What keeps this consumer from reading, a sentence each: for readiness, and for people."""
        now = time.monotonic()
        found = [
            _said(place, one)
            for place, one in sorted(self.standing.items())
            if self._is_mine(place) and (not one.may_pass or now - one.since > ANSWERS_AGAIN_WITHIN_S)
        ]
        if self.failing_since is not None and now - self.failing_since > ANSWERS_AGAIN_WITHIN_S:
            found.append("every fetch raises: see the log")
        if self._fetcher is not None and self._fetcher.error_future.done():
            found.append("the client has stopped fetching: restart the process")
        return found

    def standing_now(self) -> list[str]:
        """The same of partitions only, and at once: for who looks and goes."""
        return [_said(place, one) for place, one in sorted(self.standing.items()) if self._is_mine(place)]

    def has_answered(self, place: TopicPartition) -> bool:
        """Whether a broker has answered a fetch of this partition."""
        state = self._state(place)
        return state is not None and state.highwater is not None

    async def partitions_of(self, topics: Sequence[str]) -> dict[str, list[int]]:
        """Each topic's partitions; offsets of them can be asked for from then on without asking in vain."""
        await self._client.set_topics(topics)
        return await partitions_of(self._client, topics)

    def positions(self) -> dict[TopicPartition, int]:
        """The offset that is fetched next, of each partition that has one."""
        return self._positions()

    def ends(self) -> dict[TopicPartition, int]:
        """Behind the last record that may be read, of the same partitions."""
        return {place: position + self.left(place) for place, position in self._positions().items()}

    async def places_of(self, *topics: str) -> list[TopicPartition]:
        """Every partition of these topics as the broker has them; none of a topic that is not there.

        Whoever asks for their offsets next need not wait: aiokafka would learn who leads them of one topic in
        each tenth of a second.
        """
        numbers = await partitions_of(self._client, topics)
        learned = [self._client.add_topic(topic) for topic in topics if numbers[topic]]
        await asyncio.gather(*learned)
        return [TopicPartition(topic, number) for topic in topics for number in numbers[topic]]

    async def ends_of(self, topic: str) -> dict[int, int]:
        """Behind the last record of each partition, of any topic; empty when there is no such topic."""
        places = await self.places_of(topic)
        ends: dict[TopicPartition, int] = await self.end_offsets(places) if places else {}
        return {place.partition: end for place, end in ends.items()}

    def left(self, place: TopicPartition) -> int:
        """How many records wait that may be read: open transactions and what is behind them do not count."""
        state = self._state(place)
        if state is None or not state.has_valid_position:
            return 0
        end = state.lso if state.lso is not None and state.lso >= 0 else state.highwater
        return max(int(end or 0) - int(state.position), 0)

    def _positions(self) -> dict[TopicPartition, int]:
        states = {place: self._state(place) for place in self.assignment()}
        return {p: state.position for p, state in states.items() if state and state.has_valid_position}

    def _state(self, place: TopicPartition) -> Any:
        subscription = self._subscription.subscription
        assignment = subscription.assignment if subscription else None
        return assignment.state_value(place) if assignment else None

    def _is_mine(self, place: TopicPartition) -> bool:
        return place in self.assignment()

    def put_back(self, found: Mapping[TopicPartition, Sequence[Any]]) -> None:
        """Have records that were handed out be handed out again, of partitions that are assigned still."""
        self._go_back({place: records[0].offset for place, records in found.items()})

    def _go_back(self, before: Mapping[TopicPartition, int]) -> None:
        """Have partitions that are assigned still continue at these offsets."""
        for place, position in self._positions().items():
            if before.get(place, position) != position:
                self.seek(place, before[place])

    async def _connected_in_time(self, node: int, **options: Any) -> bool:
        """As aiokafka's, but who finds a broker away waits, longer each time, before it may look again.

        aiokafka looks ten times a second for each fetch and each group. A fleet did nothing else while Kafka
        was away, and took from it the processor that it needed to come back.
        """
        if await self._connected(node, **options):
            self._refused = 0
            return True
        pause = min(CONNECT_AGAIN_FIRST_S * 2 ** min(self._refused, 9), CONNECT_AGAIN_MAX_S)
        self._refused += 1
        await asyncio.sleep(pause * random.uniform(0.5, 1.5))
        return False

    async def _send(self, node: int, request: Any, **options: Any) -> Any:
        """aiokafka's send; what the loop cannot write is a connection that was lost.

        uvloop refuses to write to one that is closed already with a RuntimeError, where asyncio drops the
        bytes. It would end aiokafka's coordination, and every fetch fail until the process is restarted.
        """
        try:
            return await self._client_send(node, request, **options)
        except KafkaError:
            raise
        except RuntimeError as error:
            raise KafkaConnectionError(f"node {node}: {error}") from error

    async def _send_readable(self, node: int, request: Any, **options: Any) -> Any:
        if not isinstance(request, FetchRequest):
            return await self._send(node, request, **options)
        wanted = {TopicPartition(t, p): offset for t, parts in request.topics for p, offset, *_ in parts}
        for place, offset in wanted.items():
            self._asked.setdefault(place, offset)
        asked = set(wanted)
        nothing = self._nothing_in_a_row(node, asked)
        if nothing >= NOTHING_SO_OFTEN and self._group_id is not None:  # a command's questions wait behind it
            request._max_wait_ms = HELD_LONGER_MS
        response = await self._send(node, request, **options)
        had_any = any(error or data for _, parts in response.topics for _, error, *_, data in parts)
        self._nothing[node] = (asked, 0 if had_any else nothing + 1)
        response.topics = [
            (topic, [await self._readable(TopicPartition(topic, part[0]), part, wanted) for part in parts])
            for topic, parts in response.topics
        ]
        return response

    def _nothing_in_a_row(self, node: int, asked: set[TopicPartition]) -> int:
        """How many fetches had nothing, of all that this broker leads for us; 0 when it is asked for less.

        A partition that is not asked for (its records wait to be taken, or it rests) is fetched behind this
        one: that one must not be held for long.
        """
        before, nothing = self._nothing.get(node, (asked, 0))
        led = {p for p in self.assignment() if self._client.cluster.leader_for_partition(p) == node}
        return nothing if led == asked == before else 0

    async def _readable(self, place: TopicPartition, part: Any, asked: Mapping[TopicPartition, int]) -> Any:
        """One partition's part of an answer: number, error, end, and the message set last."""
        number, error, end, *between, data = part
        wanted = asked.get(place, 0)
        if error not in (_NO_ERROR, _OUT_OF_RANGE):
            kind = for_code(error)
            why = f"offset {wanted}: the broker cannot read it and answers {kind.__name__}"
            self._stand(place, why, may_pass=True, rests=not kind.invalid_metadata)
            return part
        made = await _made_readable(data or b"", wanted, end)
        if made.fault is None:
            self.standing.pop(place, None)
        else:
            self._stand(place, made.fault, may_pass=False, rests=True)
        return (number, error, end, *between, made.data)

    def _stand(self, place: TopicPartition, why: str, *, may_pass: bool, rests: bool) -> None:
        """Note that nothing can be read of a partition, and leave it alone for a moment."""
        known = self.standing.get(place)
        if known is None or known.why != why:
            known = Standing(why=why, since=known.since if known else time.monotonic(), may_pass=may_pass)
            self.standing[place] = known
            detail = {"topic": place.topic, "partition": place.partition, "why": why}
            _log.log(logging.INFO if may_pass else logging.ERROR, "a partition cannot be read", extra=detail)
        if rests and self._is_mine(place):
            self.pause(place)
            asyncio.get_running_loop().call_later(LOOK_AGAIN_S, self._look_again, place)

    def _look_again(self, place: TopicPartition) -> None:
        if not self._closed and self._is_mine(place):
            self.resume(place)


def _said(place: TopicPartition, one: Standing) -> str:
    return f"{place.topic} partition {place.partition}: {one.why}"


async def _made_readable(data: bytes, wanted: int, end: int) -> Readable:
    if not data:
        return Readable(b"")
    try:
        try:
            return make_readable(data, wanted=wanted, end=end, quickly=True)
        except TakesLong:
            return await asyncio.to_thread(make_readable, data, wanted=wanted, end=end)
    except Exception as error:  # a fault of ours: aiokafka would end its fetching, and say nothing
        _log.exception("a fetched batch could not be examined")
        return Readable(b"", f"offset {wanted}: its batch could not be examined ({type(error).__name__})")
