"""Members of one topic in one process: what they handle together, who waits for whom, how long they rest."""

import asyncio
import time
from collections.abc import Sequence
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import ConsumerRecord
from pydantic import SecretStr

from fleet.consumers import Consumers, _ReadAgain
from fleet.envelope import Record
from fleet.member import Consumer
from fleet.settings import Settings
from fleet.shared_batches import BATCH_EVERY_S, BUSY_EVERY_S, BUSY_FOR, MANY, MANY_EVERY_S, SharedBatches

BATCH_MAX = 100
SETTINGS = Settings(database_url=SecretStr("postgresql://nowhere"), kafka_bootstrap="x")
CONSUMERS = Consumers("ledger", SETTINGS)


class Handled:
    """What a handler got, batch by batch; it works for ten turns of the loop, and fails as often as told."""

    def __init__(self, failures: int = 0) -> None:
        self.batches: list[list[int]] = []
        self.at_work = self.most_at_work = 0
        self.began = asyncio.Event()
        self._failures = failures

    async def __call__(self, records: Sequence[Record]) -> None:
        self.batches.append([record.offset for record in records])
        self.began.set()
        self.at_work += 1
        self.most_at_work = max(self.most_at_work, self.at_work)
        for _turn_of_the_loop in range(10):
            await asyncio.sleep(0)
        self.at_work -= 1
        if self._failures:
            self._failures -= 1
            raise ConnectionError


class Polled:
    """A batch as FastStream hands it over."""

    def __init__(self, first: int, records: int = 1) -> None:
        offsets = range(first, first + records)
        self.message: Any = SimpleNamespace(
            raw_message=tuple(
                ConsumerRecord("t", 0, offset, 0, 0, b"k", b"{}", None, 1, 2, ()) for offset in offsets
            ),
            ack=self._ack,
        )
        self.acknowledged = False

    async def _ack(self) -> None:
        self.acknowledged = True


def members(handler: Handled, count: int = 2) -> list[Consumer]:
    shared = SharedBatches(handler)
    return [Consumer(topic="t", shared=shared, batch_max=BATCH_MAX) for _ in range(count)]


async def test_a_member_waits_for_those_that_gather_and_all_are_handled_in_one_batch() -> None:
    handled = Handled()
    one, other = members(handled)
    mine, theirs = Polled(1, records=2), Polled(11, records=3)
    one.shared.announce(one)
    other.shared.announce(other)
    first = asyncio.create_task(CONSUMERS._process(one, mine.message))
    await asyncio.sleep(0)
    assert handled.batches == []
    await CONSUMERS._process(other, theirs.message)
    await first
    assert handled.batches == [[1, 2, 11, 12, 13]]
    assert mine.acknowledged
    assert theirs.acknowledged


async def test_a_member_waits_for_nobody_when_nobody_gathers() -> None:
    handled = Handled()
    [one, _] = members(handled)
    one.shared.announce(one)
    await CONSUMERS._process(one, Polled(1).message)
    assert handled.batches == [[1]]


async def test_a_member_that_never_comes_is_not_waited_for_long() -> None:
    handled = Handled()
    one, lost = members(handled)
    one.shared.announce(lost)
    await asyncio.wait_for(CONSUMERS._process(one, Polled(1).message), 5)
    assert handled.batches == [[1]]


async def test_what_comes_during_a_batch_is_handled_after_it_in_one() -> None:
    handled = Handled()
    first, *others = members(handled, count=4)
    await asyncio.gather(
        CONSUMERS._process(first, Polled(1).message),
        *(CONSUMERS._process(other, Polled(10 * n).message) for n, other in enumerate(others, start=1)),
    )
    assert sorted(map(sorted, handled.batches)) in ([[1], [10, 20, 30]], [[1, 10, 20, 30]])
    assert handled.most_at_work == 1


async def test_nobodys_offsets_are_committed_when_a_batch_fails_and_both_read_again() -> None:
    handled = Handled(failures=1)
    one, other = members(handled)
    one.shared.announce(other)
    mine, theirs = Polled(1), Polled(11)
    ends = await asyncio.gather(
        CONSUMERS._process(one, mine.message),
        CONSUMERS._process(other, theirs.message),
        return_exceptions=True,
    )
    assert [type(end) for end in ends] == [_ReadAgain, _ReadAgain]
    assert not mine.acknowledged
    assert not theirs.acknowledged
    await CONSUMERS._process(one, mine.message)
    assert mine.acknowledged


async def test_who_is_stopped_in_the_middle_of_a_batch_leaves_nobody_waiting() -> None:
    handled = Handled()
    one, other = members(handled)
    one.shared.announce(other)
    mine, theirs = Polled(1), Polled(11)
    working = asyncio.create_task(CONSUMERS._process(one, mine.message))
    waiting = asyncio.create_task(CONSUMERS._process(other, theirs.message))
    await handled.began.wait()
    working.cancel()
    await asyncio.wait([working, waiting], timeout=5)
    assert waiting.done()
    assert not theirs.acknowledged


@pytest.mark.parametrize(("records", "at_once"), [(BATCH_MAX // 2 - 1, 1), (BATCH_MAX // 2, 2)])
async def test_in_a_backlog_each_member_works_for_itself(records: int, at_once: int) -> None:
    handled = Handled()
    await asyncio.gather(
        *(CONSUMERS._process(member, Polled(1, records).message) for member in members(handled))
    )
    assert handled.most_at_work == at_once


def assigned(handler: Handled, *partitions: set[int] | None) -> tuple[Consumers, list[Consumer]]:
    """Members with these partitions of a topic that has four; None: a consumer that is not there yet."""
    consumers = Consumers("ledger", SETTINGS)
    group = members(handler, count=len(partitions))
    for member, given in zip(group, partitions, strict=True):
        kafka = SimpleNamespace(
            assignment=partial(frozenset, given or ()),
            partitions_for_topic={SETTINGS.topic_prefix + "t": set("0123")}.get,
        )
        member.subscriber = SimpleNamespace(consumer=None if given is None else kafka)
        consumers.add(member)
    return consumers, group


@pytest.mark.parametrize(
    ("given", "at_once"),
    [
        (({0, 1}, {2, 3}), 2),
        (({0}, {1}), 1),
        (({0, 1}, set()), 1),
        (({0, 1, 2, 3}, None), 2),
        (({0, 1}, None), 1),
    ],
)
async def test_members_take_turns_in_a_backlog_that_other_processes_read_too(
    given: tuple[set[int] | None, ...], at_once: int
) -> None:
    handled = Handled()
    consumers, group = assigned(handled, *given)
    first, second = Polled(1, BATCH_MAX), Polled(1_001, BATCH_MAX)
    ends = zip(group, (first, second), strict=True)
    await asyncio.gather(*(consumers._process(member, batch.message) for member, batch in ends))
    assert handled.most_at_work == at_once
    assert [len(batch) for batch in handled.batches] == [BATCH_MAX, BATCH_MAX]
    assert first.acknowledged
    assert second.acknowledged


async def test_a_batch_that_fails_in_its_turn_lets_the_next_one_go_on() -> None:
    consumers, [one, other] = assigned(Handled(failures=1), {0}, {1})
    mine, theirs = Polled(1, BATCH_MAX), Polled(1_001, BATCH_MAX)
    ends = await asyncio.gather(
        consumers._process(one, mine.message),
        consumers._process(other, theirs.message),
        return_exceptions=True,
    )
    assert [type(end) for end in ends] == [_ReadAgain, type(None)]
    assert not mine.acknowledged
    assert theirs.acknowledged


@pytest.mark.parametrize(
    ("records", "own_s", "expected_s"),
    [
        (MANY - 1, BATCH_EVERY_S, BATCH_EVERY_S),
        (MANY, BATCH_EVERY_S, MANY_EVERY_S),
        (MANY, 1.0, 1.0),
    ],
)
async def test_many_records_rest_longer(records: int, own_s: float, expected_s: float) -> None:
    shared = SharedBatches(Handled(), every_s=own_s)
    began = time.monotonic()
    [record] = [SimpleNamespace(offset=1)]
    await shared.handle("member", [record] * records)  # type: ignore[list-item]
    assert began + expected_s <= shared.rests_until <= time.monotonic() + expected_s


@pytest.mark.parametrize(
    ("own_s", "took_s"), [(BATCH_EVERY_S, 0.03), (BATCH_EVERY_S, 0.1), (0.0, 0.03), (0.5, 0.03)]
)
async def test_what_took_long_is_followed_by_a_longer_rest(own_s: float, took_s: float) -> None:
    async def work(records: Sequence[Record]) -> None:
        await asyncio.sleep(took_s)

    shared = SharedBatches(work, every_s=own_s)
    began = time.monotonic()
    await shared.handle("member", [SimpleNamespace(offset=1)])  # type: ignore[list-item]
    ended = time.monotonic()
    wanted = max(own_s, min(BUSY_FOR * took_s, BUSY_EVERY_S)) if own_s else 0.0
    assert began + wanted <= shared.rests_until
    assert shared.rests_until <= ended + (max(own_s, BUSY_EVERY_S) if own_s else 0.0)


async def test_members_end_their_rest_together_also_when_one_of_them_worked_later() -> None:
    shared = SharedBatches(Handled(), every_s=0.05)
    ended: list[float] = []

    async def work(after_s: float) -> None:
        await asyncio.sleep(after_s)
        await shared.handle(after_s, [SimpleNamespace(offset=1)])  # type: ignore[list-item]
        await shared.rest()
        ended.append(time.monotonic())

    await asyncio.gather(work(0.0), work(0.03))
    assert all(end >= shared.rests_until for end in ended)
