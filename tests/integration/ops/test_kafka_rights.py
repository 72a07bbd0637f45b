"""A broker that asks who it is: each login of ours may do what the table of topics says, and nothing else."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    GroupCoordinatorNotAvailableError,
    KafkaError,
    TopicAuthorizationFailedError,
    for_code,
)
from aiokafka.protocol.commit import OffsetCommitRequest
from aiokafka.protocol.fetch import FetchRequest
from pydantic import SecretStr

from console.readers import Lookout
from fleet.kafka_client import connection, create_topics, make_producer
from fleet.settings import Settings
from hobbs.doctor.brokers import examine_brokers
from hobbs.shell.topic_plans import topic_plans
from schemas.kafka_rights import Right, every_right, group_of, readers, reads, user_of, writes
from schemas.services import CONSOLE, KAFKA_USERS, MIGRATE, OPERATOR
from schemas.shadow import SHADOW, SHADOWED, live_topics, own_topics, shadow_rights
from schemas.topics import TOPICS
from tests.support.guarded_kafka import GuardedKafka, grant, guarded_kafka

PREFIX: Final = "north."
SHADOWS: Final = "north.shadow."
STRANGER: Final = "stranger"
NOSY: Final = "nosy"  # who is given more than the table says
EACH: Final = pytest.mark.parametrize("who", KAFKA_USERS)
# What the attacker published: each of these led to a payment.
PAYING: Final = (
    *("decision.requested", "journal.posted", "journal.requested", "school.configured", "stripe.webhook"),
)
REFUSED: Final = (TopicAuthorizationFailedError.errno, GroupAuthorizationFailedError.errno)


@pytest.fixture(scope="module")
async def kafka(session_folder: Path) -> AsyncIterator[GuardedKafka]:
    """One broker for this file, with every topic, made by the user that `hobbs migrate` has."""
    users = [*(user_of(who, PREFIX) for who in KAFKA_USERS), STRANGER, NOSY]
    users += [user_of(SHADOW, SHADOWS), user_of(MIGRATE, SHADOWS)]
    with guarded_kafka(session_folder / "guarded-kafka", users) as broker:
        await grant(broker.administrator(), every_right(PREFIX))
        await grant(broker.administrator(), shadow_rights(SHADOWS, PREFIX, own_book=False))
        there = await create_topics(of(broker, MIGRATE), topic_plans())
        assert there.keys() == TOPICS.keys()
        await consumer_groups_are_kept(broker)
        yield broker


async def consumer_groups_are_kept(kafka: GuardedKafka) -> None:
    """Wait until the broker has its topic of offsets: the first question about a group makes it."""
    group = group_of("ledger", "journal.requested", PREFIX)
    async with admin_of(of(kafka, "ledger")) as admin, asyncio.timeout(20):
        while not await _has_coordinator(admin, group):  # noqa: ASYNC110 - no event tells of it
            await asyncio.sleep(0.1)


async def _has_coordinator(admin: AIOKafkaAdminClient, group: str) -> bool:
    try:
        await admin.find_coordinator(group)
    except GroupCoordinatorNotAvailableError:
        return False
    return True


@asynccontextmanager
async def admin_of(settings: Settings) -> AsyncIterator[AIOKafkaAdminClient]:
    admin = AIOKafkaAdminClient(**connection(settings))
    await admin.start()
    try:
        yield admin
    finally:
        await admin.close()


def of(kafka: GuardedKafka, who: str) -> Settings:
    return kafka.settings(user_of(who, PREFIX), topic_prefix=PREFIX)


@EACH
async def test_each_login_publishes_on_its_topics_and_on_no_other(kafka: GuardedKafka, who: str) -> None:
    assert await accepted(of(kafka, who), list(TOPICS)) == writes(who)


@EACH
async def test_each_login_reads_its_topics_and_no_other(kafka: GuardedKafka, who: str) -> None:
    async with admin_of(of(kafka, who)) as admin:
        assert await readable(admin) == reads(who)


@EACH
async def test_each_login_moves_its_own_groups_and_no_other(kafka: GuardedKafka, who: str) -> None:
    """Who may commit offsets in another's group makes it skip records."""
    every = [(reader, topic.name) for topic in TOPICS.values() for reader in readers(topic)]
    async with admin_of(of(kafka, who)) as admin:
        moved = [(reader, topic) for reader, topic in every if await _moves(admin, reader, topic)]
    assert moved == [(reader, topic) for reader, topic in every if reader == who]


@pytest.mark.parametrize("who", [*KAFKA_USERS, STRANGER])
async def test_a_login_that_is_not_the_publishers_makes_nobody_pay(kafka: GuardedKafka, who: str) -> None:
    """Who may write one of them by its rights is bound by what the record says: docs/security.md."""
    expected = [topic for topic in PAYING if who in (TOPICS[topic].owner, *TOPICS[topic].also_from)]
    settings = kafka.settings(STRANGER, topic_prefix=PREFIX) if who == STRANGER else of(kafka, who)
    assert await accepted(settings, list(PAYING)) == expected


async def test_a_shadows_login_reads_the_live_flights_and_writes_no_live_topic(kafka: GuardedKafka) -> None:
    """Its own topics it writes, moves its own groups, and sees nobody else's."""
    user = user_of(SHADOW, SHADOWS)
    live, own = (kafka.settings(user, topic_prefix=prefix) for prefix in (PREFIX, SHADOWS))
    makes = kafka.settings(user_of(MIGRATE, SHADOWS), topic_prefix=SHADOWS)
    await create_topics(makes, [plan for plan in topic_plans() if plan.name in own_topics()])
    assert await accepted(live, list(TOPICS)) == []
    every = [(reader, topic.name) for topic in TOPICS.values() for reader in readers(topic)]
    async with admin_of(live) as admin:
        assert set(await readable(admin)) == {*live_topics(own_book=False)}
        assert [place for place in every if await _moves(admin, *place)] == []
    written = {name for service in SHADOWED for name in writes(service)} & {*own_topics()}
    assert set(await accepted(own, list(own_topics()))) == written


async def test_the_console_may_see_how_far_everybody_is(kafka: GuardedKafka) -> None:
    lookout = Lookout(settings=of(kafka, CONSOLE))
    try:
        async with asyncio.timeout(20):
            found = await lookout.look([])
    finally:
        await lookout.close()
    assert {(one.service, one.topic) for one in found.places} == {
        (reader, topic.name) for topic in TOPICS.values() for reader in readers(topic)
    }
    assert set(found.processes.values()) == {0}


async def test_who_gives_no_name_or_a_wrong_password_reaches_no_topic(kafka: GuardedKafka) -> None:
    nameless = kafka.settings(None, topic_prefix=PREFIX)
    guessed = of(kafka, "ledger").model_copy(update={"kafka_password": SecretStr("guessed")})
    for settings in (nameless, guessed):
        with pytest.raises(KafkaError):
            await accepted(settings, list(PAYING))


async def test_the_doctor_finds_brokers_that_do_not_keep_a_login_to_its_rights(kafka: GuardedKafka) -> None:
    for who in (OPERATOR, "billing"):
        assert await examine_brokers(of(kafka, who)) == []
    foreign = next(topic for topic in TOPICS if topic not in reads(OPERATOR))
    await grant(
        kafka.administrator(), [Right(user=NOSY, operation="Read", resource="topic", name=PREFIX + foreign)]
    )
    [finding] = await examine_brokers(kafka.settings(NOSY, topic_prefix=PREFIX))
    assert finding.found == f"the brokers let {NOSY} read what it has no right to: {foreign}"


async def test_a_service_may_make_no_topic(kafka: GuardedKafka) -> None:
    async with admin_of(of(kafka, "payouts")) as admin:
        answer = await admin.create_topics([NewTopic(PREFIX + "made.up", 1, 1)])
    assert [code for _, code, *_ in answer.topic_errors] == [TopicAuthorizationFailedError.errno]


async def accepted(settings: Settings, topics: list[str]) -> list[str]:
    """Which of these topics take a record from whoever has these settings."""
    producer = make_producer(connection(settings), timeout_s=5)
    try:
        await producer.start()
        taken = await asyncio.gather(
            *(_publishes(producer, settings.topic_prefix, topic) for topic in topics)
        )
        return [topic for topic, one in zip(topics, taken, strict=True) if one]
    except ClusterAuthorizationFailedError:  # who may write nowhere gets no producer's id
        return []
    finally:
        await producer.stop()


async def _publishes(producer: AIOKafkaProducer, prefix: str, topic: str) -> bool:
    try:
        await producer.send_and_wait(prefix + topic, b"{}", partition=0)
    except TopicAuthorizationFailedError:
        return False
    return True


async def readable(admin: AIOKafkaAdminClient) -> list[str]:
    """Asked of the broker itself: aiokafka's consumer says nothing of a topic that it may not even see."""
    places = [(PREFIX + topic, [(0, 0, 1_000)]) for topic in TOPICS]
    request = FetchRequest(max_wait_time=0, min_bytes=0, max_bytes=1_000, isolation_level=0, topics=places)
    answer = await admin._client.send(admin._client.get_random_node(), request)
    codes = {name.removeprefix(PREFIX): code for name, [(_, code, *_)] in answer.topics}
    assert set(codes.values()) <= {0, *REFUSED}
    return [topic for topic in TOPICS if codes[topic] == 0]


async def _moves(admin: AIOKafkaAdminClient, reader: str, topic: str) -> bool:
    """Whether the group takes an offset from somebody who is no member of it; nobody else is."""
    places = [(PREFIX + topic, [(0, 0, "")])]
    request = OffsetCommitRequest(group_of(reader, topic, PREFIX), -1, "", -1, places)
    answer = await admin._client.send(admin._client.get_random_node(), request)
    [(_, [(_, code)])] = answer.topics
    assert code in (0, *REFUSED), for_code(code)
    return int(code) == 0
