"""Topics are made once, whoever asks, and what the broker refuses is said."""

import secrets
from asyncio import gather

import pytest
from aiokafka.errors import InvalidPartitionsError, KafkaError
from pydantic import SecretStr

from fleet.kafka_client import TopicPlan, create_topics
from fleet.settings import Settings


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
