"""How far each service's readers are behind, asked of a real broker: offsets and times, and no record."""

import asyncio
import re
import secrets
import time
from contextlib import suppress

import asyncpg
import pytest
from aiokafka import AIOKafkaProducer

from console.readers import Lookout, NoAnswer, Readers
from fleet.kafka_client import TopicPlan, create_topics
from fleet.settings import Settings
from tests.conftest import OpenDatabase
from tests.integration.billing.given import given_school
from tests.integration.console.conftest import Desk, MakeDesk, console_settings

AGES_S = (7_000, 3_000, 500, 40)
HANDLED = """
    INSERT INTO billing.topic_position (topic, partition, next_offset) VALUES ('flight.completed', 0, $1)
    ON CONFLICT ON CONSTRAINT one_position_for_each_partition DO UPDATE SET next_offset = excluded.next_offset
"""


@pytest.fixture
async def prefix(kafka: str) -> str:
    """Two topics with this prefix: one with four records whose ages are known, one that is empty."""
    prefix = f"{secrets.token_hex(4)}."
    settings = console_settings("postgresql://nowhere/", kafka_bootstrap=kafka, topic_prefix=prefix)
    plans = [TopicPlan(name=n, partitions=2, retention_ms=-1) for n in ("flight.completed", "hold.changed")]
    await create_topics(settings, plans)
    async with asyncio.timeout(60):
        await coordinator(settings)
    producer = AIOKafkaProducer(bootstrap_servers=kafka)
    await producer.start()
    try:
        for age in AGES_S:
            at = int((time.time() - age) * 1000)
            await producer.send_and_wait(prefix + "flight.completed", b"{}", partition=0, timestamp_ms=at)
    finally:
        await producer.stop()
    return prefix


async def coordinator(settings: Settings) -> None:
    """Wait until the broker keeps groups: the first question about one makes it."""
    while True:
        lookout = Lookout(settings=settings)
        with suppress(NoAnswer):
            if (await lookout.look([])).processes:
                break
        await lookout.close()
        await asyncio.sleep(0.1)
    await lookout.close()


async def seen(kafka: str, prefix: str, handled: int) -> Readers:
    lookout = Lookout(
        settings=console_settings("postgresql://nowhere/", kafka_bootstrap=kafka, topic_prefix=prefix)
    )
    written = {"topic": "flight.completed", "partition": 0, "next_offset": handled, "written_at": None}
    try:
        return await lookout.look([written | {"service": "billing"}])
    finally:
        await lookout.close()


@pytest.mark.parametrize("handled", range(len(AGES_S) + 1))
async def test_the_oldest_record_that_waits_is_as_old_as_it_says(
    kafka: str, prefix: str, handled: int
) -> None:
    found = await seen(kafka, prefix, handled)
    [place] = [one for one in found.places if (one.service, one.topic) == ("billing", "flight.completed")]
    assert place.waiting == len(AGES_S) - handled
    if handled == len(AGES_S):
        assert place.oldest_at is None
        return
    assert place.oldest_at is not None
    age = time.time() - place.oldest_at.timestamp()
    assert abs(age - AGES_S[handled]) < max(5, AGES_S[handled] / 25)
    assert not any(one.waiting for one in found.places if one.topic == "hold.changed")


async def test_the_page_and_the_overview_say_who_is_behind(
    make_desk: MakeDesk, open_db: OpenDatabase, database_url: str, kafka: str, prefix: str
) -> None:
    await given_school(open_db("billing"))
    owner = await asyncpg.connect(database_url)
    await owner.execute(HANDLED, 2)
    await owner.close()
    desk = make_desk(kafka_bootstrap=kafka, topic_prefix=prefix)
    try:
        otto = await desk.browser("otto")
        overview = (await otto.get("/")).text
        assert "services are away, or behind" in overview, "no process of any service is there"
        page = re.sub(r"<[^>]+>", " ", (await otto.get("/readers")).text)
        assert re.search(r"billing\s+away\s+2\s+0 h 8 min\s+flight\.completed", page)
        assert "No process of" in page
    finally:
        await desk.console.lookout.close()


async def test_a_kafka_that_does_not_answer_is_said_and_the_rest_works(desk: Desk) -> None:
    otto = await desk.browser("otto")
    for path in ("/", "/readers"):
        answer = await otto.get(path)
        assert answer.status_code == 200
        assert "Kafka does not answer" in answer.text
    assert 'href="/readers"' in (await otto.get("/dead")).text
