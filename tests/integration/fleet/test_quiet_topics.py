"""A broker holds a fetch longer once nothing came for a while; a record comes at once all the same."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.protocol.fetch import FetchRequest
from pydantic import SecretStr

from fleet.kafka_client import TopicPlan, create_topics, open_producer
from fleet.reader import HELD_LONGER_MS, NOTHING_SO_OFTEN, Reader
from fleet.settings import Settings

HELD_MS = 20  # aiokafka's half a second, shorter


class Noting(Reader):
    """A Reader that notes how long a broker may hold each of its fetches, and of how many partitions."""

    def __init__(self, *topics: str, **options: Any) -> None:
        super().__init__(*topics, **options, fetch_max_wait_ms=HELD_MS)
        self.fetches: list[tuple[int, int]] = []
        self._noted = asyncio.Event()

    async def _send(self, node: int, request: Any, **options: Any) -> Any:
        if isinstance(request, FetchRequest):
            self.fetches.append((request._max_wait_ms, sum(len(parts) for _, parts in request.topics)))
            self._noted.set()
        return await super()._send(node, request, **options)

    async def until(self, reached: Callable[[], bool]) -> None:
        async with asyncio.timeout(20):
            while not reached():
                await self._noted.wait()
                self._noted.clear()

    async def quiet(self) -> None:
        """Until a fetch is on its way that may be held for longer."""
        await self.until(lambda: bool(self.fetches) and self.fetches[-1][0] == HELD_LONGER_MS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Quiet:
    """A topic of two partitions on which nothing came for a while, its reader, and a publisher."""

    topic: str
    reader: Noting
    producer: AIOKafkaProducer


@pytest.fixture
async def quiet(kafka: str) -> AsyncIterator[Quiet]:
    prefix = f"{secrets.token_hex(4)}."
    settings = Settings(database_url=SecretStr(""), kafka_bootstrap=kafka, topic_prefix=prefix)
    await create_topics(settings, [TopicPlan(name="a", partitions=2, retention_ms=-1)])
    group = {"group_id": f"{prefix}a", "enable_auto_commit": False}
    async with Noting(bootstrap_servers=kafka, **group) as reader, open_producer(settings) as producer:
        reader.assign([TopicPartition(f"{prefix}a", number) for number in range(2)])
        await reader.quiet()
        yield Quiet(topic=f"{prefix}a", reader=reader, producer=producer)


async def test_a_record_on_a_quiet_topic_comes_in_the_fetch_that_is_held(quiet: Quiet) -> None:
    reader = quiet.reader
    asked = [held for held, _ in reader.fetches]
    assert asked.count(HELD_LONGER_MS) == 1
    assert asked[-1 - NOTHING_SO_OFTEN : -1] == [HELD_MS] * NOTHING_SO_OFTEN

    await quiet.producer.send_and_wait(quiet.topic, b"1", partition=1)
    found = await reader.getmany(timeout_ms=HELD_LONGER_MS)
    assert [[record.value for record in records] for records in found.values()] == [[b"1"]]
    since = reader.fetches[len(asked) :]
    assert HELD_LONGER_MS not in [held for held, _ in since]


async def test_a_fetch_beside_records_that_wait_to_be_taken_is_not_held_longer(quiet: Quiet) -> None:
    """The partition whose records wait is fetched again only when that one was answered."""
    reader, asked = quiet.reader, len(quiet.reader.fetches)
    await quiet.producer.send_and_wait(quiet.topic, b"1", partition=0)
    await reader.until(lambda: len(reader.fetches) >= asked + 2 * NOTHING_SO_OFTEN)
    assert set(reader.fetches[asked:]) == {(HELD_MS, 1)}


async def test_a_fetch_of_who_is_in_no_group_is_not_held_longer(quiet: Quiet, kafka: str) -> None:
    """Questions about offsets go to the broker behind it, one topic after another."""
    async with Noting(bootstrap_servers=kafka) as reader:
        reader.assign([TopicPartition(quiet.topic, number) for number in range(2)])
        await reader.until(lambda: len(reader.fetches) >= 2 * NOTHING_SO_OFTEN)
        assert {held for held, _ in reader.fetches} == {HELD_MS}
