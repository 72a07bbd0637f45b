"""What a consumer took is handled when its second poll fails, and let go when it was handled."""

import asyncio
import gc
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, ConsumerRecord
from aiokafka.errors import KafkaError

from fleet.consumers import GATHER_S
from fleet.database import Database
from fleet.settings import Settings
from tests.integration.fleet.sample import effects
from tests.integration.fleet.test_worker import (  # noqa: F401 - two are fixtures
    Running,
    publish,
    running,
    settings,
    until,
)

REST_S = 4.0  # longer than it takes to publish a few records, whatever else the machine does


@pytest.fixture
async def resting(settings: Settings, database: Database) -> AsyncIterator[Running]:  # noqa: F811
    """A worker that rests for long after each batch."""
    resting = Running(settings, every_s=REST_S)
    yield resting
    await resting.stop()


async def has_begun_to_rest(resting: Running, database: Database) -> None:
    resting.start()
    await publish(resting.settings, ["first"])
    await until(lambda: effects(database), {"first": 1})


async def test_what_was_taken_is_handled_when_the_second_poll_fails(
    resting: Running, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    armed, failed = asyncio.Event(), asyncio.Event()
    polled = AIOKafkaConsumer.getmany

    async def failing(*args: Any, **kwargs: Any) -> Any:
        if armed.is_set() and kwargs["timeout_ms"] <= 1000 * GATHER_S and not failed.is_set():
            failed.set()
            raise KafkaError("cut off")
        return await polled(*args, **kwargs)

    monkeypatch.setattr(AIOKafkaConsumer, "getmany", failing)
    await has_begun_to_rest(resting, database)
    armed.set()
    await publish(resting.settings, ["a", "b", "c", "d", "e"])
    await until(lambda: effects(database), dict.fromkeys(("first", "a", "b", "c", "d", "e"), 1))
    assert failed.is_set()


async def test_a_batch_is_let_go_without_the_cyclic_collector(
    running: Running,  # noqa: F811
    database: Database,
) -> None:
    names = [f"n{i}" for i in range(60)]
    await publish(running.settings, names)
    gc.collect()
    gc.disable()
    try:
        running.start()
        await until(lambda: effects(database), dict.fromkeys(names, 1))
        await until(lambda: in_memory(running.settings.topic_prefix), 0, within_s=5)
    finally:
        gc.enable()


async def in_memory(topics: str) -> int:
    """Records of this test's own topics: what another test of this process still holds is not counted."""
    records = (thing for thing in gc.get_objects() if type(thing) is ConsumerRecord)
    return sum(record.topic.startswith(topics) for record in records)
