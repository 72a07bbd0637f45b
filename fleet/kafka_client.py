"""Kafka connections from settings, topics, and publishing outside a worker (tools, the gateway)."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import NoError, RequestTimedOutError, TopicAlreadyExistsError, for_code

from fleet.envelope import Message, headers_of
from fleet.kafka_tokens import ClientCredentials
from fleet.settings import Settings

DESCRIBE_TIMES, DESCRIBE_EVERY_S = 300, 0.1
PRODUCER_TIMEOUT_S = 20.0
METADATA_AGE_MS = 30_000  # after so long a client knows new partitions and brokers
BATCH_BYTES = 16_384  # aiokafka's own default
PUBLISH_WINDOW = 1_000  # messages in flight in publish_many


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicPlan:
    """What a topic should be; `name` without the deployment's prefix, retention -1 keeps forever.

    `compression` is Kafka's `compression.type`: the broker's, as it writes a batch.
    """

    name: str
    partitions: int
    retention_ms: int
    compression: str = "zstd"


def connection(settings: Settings) -> dict[str, Any]:
    """Keyword arguments every aiokafka client needs to reach the brokers."""
    arguments: dict[str, Any] = {
        "bootstrap_servers": settings.kafka_bootstrap.split(","),
        "security_protocol": settings.kafka_security_protocol,
    }
    if context := _tls(settings):
        arguments["ssl_context"] = context
    if settings.kafka_security_protocol.startswith("SASL"):
        arguments |= {"sasl_mechanism": settings.kafka_sasl_mechanism} | _login(settings)
    return arguments


def _login(settings: Settings) -> dict[str, Any]:
    password = settings.kafka_password.get_secret_value() if settings.kafka_password else None
    if settings.kafka_sasl_mechanism != "OAUTHBEARER":
        return {"sasl_plain_username": settings.kafka_username, "sasl_plain_password": password}
    tokens = ClientCredentials(
        settings.kafka_token_url,
        client=settings.kafka_username or "",
        secret=password or "",
        scope=settings.kafka_token_scope,
    )
    return {"sasl_oauth_token_provider": tokens}


def _tls(settings: Settings) -> ssl.SSLContext | None:
    if not settings.kafka_security_protocol.endswith("SSL"):
        return None
    context = ssl.create_default_context(cafile=settings.kafka_ca_file and str(settings.kafka_ca_file))
    if settings.kafka_certificate_file:
        context.load_cert_chain(settings.kafka_certificate_file, settings.kafka_key_file)
    return context


async def members_of(admin: AIOKafkaAdminClient, group: str) -> int:
    """How many members the group has, as its coordinator knows them.

    One group at a time: aiokafka reads the answer about a second one wrongly.
    """
    responses = await admin.describe_consumer_groups([group])
    return sum(len(described[5]) for response in responses for described in response.groups)


def make_producer(
    connection: Mapping[str, Any], *, timeout_s: float, linger_ms: int = 0, batch_bytes: int = BATCH_BYTES
) -> AIOKafkaProducer:
    """An idempotent producer that counts a record as sent when every in-sync replica has it; not started.

    `timeout_s`: after which a record that Kafka did not acknowledge has failed; `batch_bytes`: per partition.
    """
    return AIOKafkaProducer(
        **connection,
        acks="all",
        enable_idempotence=True,
        linger_ms=linger_ms,
        request_timeout_ms=int(timeout_s * 1000),
        max_batch_size=batch_bytes,
        metadata_max_age_ms=METADATA_AGE_MS,
    )


@asynccontextmanager
async def open_producer(settings: Settings) -> AsyncIterator[AIOKafkaProducer]:
    """A started producer, stopped with the block."""
    producer = make_producer(connection(settings), timeout_s=PRODUCER_TIMEOUT_S, linger_ms=2)
    try:
        await producer.start()
        yield producer
    finally:
        await producer.stop()


async def send(
    producer: AIOKafkaProducer, settings: Settings, message: Message, *, service: str
) -> "asyncio.Future[Any]":
    """Hand a message to the producer; the future resolves when Kafka acknowledged it."""
    future: asyncio.Future[Any] = await producer.send(
        settings.topic_prefix + message.topic,
        value=message.body,
        key=message.key.encode(),
        headers=headers_of(message, service),
    )
    return future


async def publish_once(settings: Settings, messages: Sequence[Message], *, service: str) -> None:
    """Publish a few messages and wait until Kafka acknowledged all of them."""
    async for _ in publish_many(settings, messages, service=service):
        continue


async def publish_many(
    settings: Settings, messages: Iterable[Message], *, service: str
) -> AsyncIterator[Message]:
    """Publish in order, a bounded number in flight; yield each message once Kafka acknowledged it."""
    async with open_producer(settings) as producer:
        flying: list[tuple[Message, asyncio.Future[Any]]] = []
        for message in messages:
            flying.append((message, await send(producer, settings, message, service=service)))
            if len(flying) >= PUBLISH_WINDOW:
                first, acknowledged = flying.pop(0)
                await acknowledged
                yield first
        for message, acknowledged in flying:
            await acknowledged
            yield message


async def create_topics(
    settings: Settings, plans: Sequence[TopicPlan], *, replication: int = 1
) -> dict[str, int]:
    """Create the topics that are missing; the partition count of every topic now there, by planned name.

    Raises aiokafka's error of what the broker refuses, naming the topic.
    """
    admin = AIOKafkaAdminClient(**connection(settings))
    await admin.start()
    try:
        there = set(await admin.list_topics())
        missing = [p for p in plans if settings.topic_prefix + p.name not in there]
        if missing:
            new = [_new_topic(settings.topic_prefix, plan, replication) for plan in missing]
            _require_created(await admin.create_topics(new))
        names = {settings.topic_prefix + p.name: p.name for p in plans}
        return {names[topic]: count for topic, count in (await _described(admin, list(names))).items()}
    finally:
        await admin.close()


def _require_created(answer: Any) -> None:
    """Raise what the broker says against a topic. Made by another at once, or made late: it will be there."""
    for topic, code, said in answer.topic_errors:
        kind = for_code(code)
        if kind not in (NoError, TopicAlreadyExistsError, RequestTimedOutError):
            raise kind(f"{topic}: {said or kind.description}")


async def _described(admin: AIOKafkaAdminClient, names: Sequence[str]) -> dict[str, int]:
    """Partitions of topics that are there; a broker knows a new topic a moment after it was made."""
    for _ in range(DESCRIBE_TIMES):
        described = await admin.describe_topics(list(names))
        found = {t["topic"]: len(t["partitions"]) for t in described if not t["error_code"]}
        if len(found) == len(names):
            break
        await asyncio.sleep(DESCRIBE_EVERY_S)
    return found


def _new_topic(prefix: str, plan: TopicPlan, replication: int) -> NewTopic:
    return NewTopic(
        name=prefix + plan.name,
        num_partitions=plan.partitions,
        replication_factor=replication,
        topic_configs={"retention.ms": str(plan.retention_ms), "compression.type": plan.compression},
    )
