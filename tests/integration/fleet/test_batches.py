"""What a consumer took before its second poll failed is handled."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError

from fleet.consumers import GATHER_S
from fleet.database import Database
from fleet.settings import Settings
from tests.integration.fleet.sample import effects
from tests.integration.fleet.test_worker import Running, publish, settings, until  # noqa: F401 - a fixture

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
