"""Topics are made once, whoever asks, and what the broker refuses is said."""

import secrets
from asyncio import gather

import pytest
from aiokafka.errors import InvalidPartitionsError, KafkaError
from aiokafka.structs import BrokerMetadata
from pydantic import SecretStr

from fleet.kafka_client import TopicPlan, create_topics, open_producer
from fleet.reader import partitions_of
from fleet.settings import Settings
from hobbs.local.ports import LOOPBACK, free_port


@pytest.fixture
def settings(kafka: str) -> Settings:
    prefix = f"{secrets.token_hex(4)}."
    return Settings(database_url=SecretStr(""), kafka_bootstrap=kafka, topic_prefix=prefix)


async def test_two_may_make_the_same_topics_at_once(settings: Settings) -> None:
    plans = [TopicPlan(name=name, partitions=2, retention_ms=-1) for name in ("a", "b")]
    made = await gather(*(create_topics(settings, plans) for _ in range(2)))
    assert made == [{"a": 2, "b": 2}] * 2


async def test_what_the_broker_refuses_is_raised_with_the_topic(settings: Settings) -> None:
    with pytest.raises(KafkaError, match="none") as refused:
        await create_topics(settings, [TopicPlan(name="none", partitions=0, retention_ms=-1)])
    assert isinstance(refused.value, InvalidPartitionsError)


async def test_partitions_are_told_while_one_of_the_brokers_is_away(settings: Settings) -> None:
    """A client knows of a broker that is gone until it refreshes what it knows."""
    await create_topics(settings, [TopicPlan(name="a", partitions=2, retention_ms=-1)])
    there, missing = f"{settings.topic_prefix}a", f"{settings.topic_prefix}b"
    gone = BrokerMetadata(99, LOOPBACK, free_port(), None)
    async with open_producer(settings) as producer:
        for _ in range(8):
            producer.client.cluster._brokers[gone.nodeId] = gone
            assert await partitions_of(producer.client, [there, missing]) == {there: [0, 1], missing: []}
