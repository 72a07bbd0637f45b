"""`hobbs restore check` beside a service that works: what it has not written yet is not forgotten."""

import asyncio
import secrets
from collections.abc import AsyncIterator

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from fleet import kafka_client, positions
from fleet.settings import Settings
from hobbs.doctor import restore
from hobbs.shell.topic_plans import topic_plans
from schemas.kafka_rights import group_of
from tests.conftest import OpenDatabase
from tests.integration.ops.conftest import Hobbs

TOPIC, RECORDS = "flight.completed", 3


@pytest.fixture
async def settings(kafka: str, hobbs: Hobbs, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Settings]:
    """Topics of this test's own; billing's group has a member that committed behind three records."""
    assert hobbs  # it sets where the database is
    monkeypatch.setenv("HOBBS_KAFKA_BOOTSTRAP", kafka)
    monkeypatch.setenv("HOBBS_TOPIC_PREFIX", f"restore-{secrets.token_hex(3)}.")
    settings = Settings()
    await kafka_client.create_topics(settings, topic_plans())
    name = settings.topic_prefix + TOPIC
    async with AIOKafkaProducer(bootstrap_servers=kafka) as producer:
        for _ in range(RECORDS):
            await producer.send_and_wait(name, b"{}", partition=0)
    member = AIOKafkaConsumer(
        name,
        bootstrap_servers=kafka,
        group_id=group_of("billing", TOPIC, settings.topic_prefix),
        enable_auto_commit=False,
    )
    async with member:
        while not member.assignment():
            await member.getmany(timeout_ms=100)
        await member.commit({TopicPartition(name, 0): RECORDS})
        yield settings


async def test_a_position_that_is_written_a_bit_later_is_waited_for(
    settings: Settings, open_db: OpenDatabase
) -> None:
    async def write() -> None:
        await asyncio.sleep(1.0)  # after the first look; nothing tells when that was
        async with open_db("billing").transaction() as tx:
            await positions.write(tx, TOPIC, {0: RECORDS})

    async with asyncio.TaskGroup() as group:
        group.create_task(write())
        assert await of_billing(settings) == "database and offsets agree"


async def test_a_database_that_nobody_writes_is_older_than_the_offsets(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(restore, "APART_S", 0.0)
    said = await of_billing(settings)
    assert said == "the database is older than the offsets: 3 records are handled again at the start"


async def of_billing(settings: Settings) -> str:
    return next(one.found for one in await restore.examine_restore(settings, None) if one.area == "billing")
