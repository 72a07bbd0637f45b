"""Offsets follow the effect: whoever dies in between finds the batch again."""

import asyncio
from collections.abc import Sequence

from aiokafka.admin import AIOKafkaAdminClient

from fleet.database import Database
from fleet.envelope import Record
from fleet.settings import Settings
from tests.integration.fleet.sample import effects
from tests.integration.fleet.test_worker import Running, publish, settings, until  # noqa: F401 - a fixture


class Held(Running):
    """A worker whose handler waits before it does anything."""

    def __init__(self, settings: Settings) -> None:  # noqa: F811
        super().__init__(settings)
        self.entered, self.released = asyncio.Event(), asyncio.Event()

    async def handle(self, batch: Sequence[Record]) -> None:
        self.entered.set()
        await self.released.wait()
        await super().handle(batch)


async def committed(settings: Settings) -> int:  # noqa: F811
    """Up to where the group has committed, summed over the partitions."""
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka_bootstrap)
    await admin.start()
    try:
        offsets = await admin.list_consumer_group_offsets(f"{settings.topic_prefix}sample.thing.happened")
    finally:
        await admin.close()
    return sum(max(place.offset, 0) for place in offsets.values())


async def test_offsets_are_committed_only_after_the_effect(
    settings: Settings,  # noqa: F811
    database: Database,
) -> None:
    held = Held(settings)
    await publish(settings, ["a", "b"])
    held.start()
    try:
        await asyncio.wait_for(held.entered.wait(), 30)
        assert await committed(settings) == 0
        held.released.set()
        await until(lambda: effects(database), {"a": 1, "b": 1})
        await until(lambda: committed(settings), 2)
    finally:
        held.released.set()
        await held.stop()
