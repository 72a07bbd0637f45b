"""Examines Kafka: is it reachable, are topics and replicas as planned, and what is each group's lag."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import GroupCoordinatorNotAvailableError, KafkaError
from sqlalchemy.exc import SQLAlchemyError

from fleet import kafka_client
from fleet.database import Database
from fleet.reader import Reader
from fleet.settings import Settings
from fleet.shadows import Mark, mark_of
from hobbs.doctor.backlog import Backlog, look_at
from hobbs.doctor.findings import Finding, ok, warning, wrong
from hobbs.shell.connections import why
from schemas.kafka_rights import group_of
from schemas.shadow import SHADOWED, live_topics, own_topics
from schemas.topics import TOPICS, Topic

BEHIND_S_MAX: Final = 60.0  # at the pace seen, what waits must be handled within this time
PACE_S: Final = 3.0
GROUP_TIMEOUT_S: Final = 10.0
UNREAD: Final = (
    "its records wait until it can be read: docs/operations/kafka.md, A partition that cannot be read"
)
MIGRATE: Final = "run `hobbs migrate` with a Kafka user that may create topics"


async def examine_kafka(settings: Settings) -> list[Finding]:
    admin = AIOKafkaAdminClient(**kafka_client.connection(settings), request_timeout_ms=10_000)
    try:
        await admin.start()
    except (KafkaError, OSError) as error:
        fix = "start it, or correct HOBBS_KAFKA_BOOTSTRAP and the security settings"
        return [wrong("kafka", f"{settings.kafka_bootstrap}: {why(error)}", fix)]
    try:
        cluster = await admin.describe_cluster()
        brokers = len(cluster["brokers"])
        planned = planned_topics(await _mark(settings), settings.topic_prefix)
        described = await admin.describe_topics([one.full_name for one in planned])
        topics = {t["topic"]: t for t in described if not t["error_code"]}
        reachable = ok("kafka", f"{brokers} brokers at {settings.kafka_bootstrap}")
        lags = await _groups(settings, admin, topics, planned)
        return [reachable, *_topics(topics, brokers, planned), *lags]
    finally:
        await admin.close()


class Planned(NamedTuple):
    """A topic that should be there, under its whole name, and who of this deployment reads it."""

    topic: Topic
    full_name: str
    consumers: Sequence[str]


def planned_topics(mark: Mark | None, prefix: str) -> list[Planned]:
    """Every topic; at a shadow its own, and those of the flights where the live deployment has them."""
    if mark is None:
        return [Planned(topic, prefix + topic.name, topic.consumers) for topic in TOPICS.values()]
    names = dict.fromkeys(own_topics(), prefix)
    names |= dict.fromkeys(live_topics(own_book=mark.own_book), mark.live)
    return [
        Planned(TOPICS[name], begins + name, [one for one in TOPICS[name].consumers if one in SHADOWED])
        for name, begins in names.items()
    ]


async def _mark(settings: Settings) -> Mark | None:
    """Whose shadow this is; None also where the database cannot say, which is a finding of its own."""
    database = Database(settings.database_url.get_secret_value(), schema="public", pool_size=1)
    try:
        return await mark_of(database)
    except (SQLAlchemyError, OSError):
        return None
    finally:
        await database.close()


def _topics(topics: Mapping[str, Any], brokers: int, planned: Sequence[Planned]) -> list[Finding]:
    findings = []
    for topic, full_name, _ in planned:
        found = topics.get(full_name)
        if found is None:
            findings.append(wrong("kafka", f"topic {topic.name} is missing", MIGRATE))
        elif len(found["partitions"]) != topic.partitions:
            sentence = f"topic {topic.name} has {len(found['partitions'])} partitions, not {topic.partitions}"
            findings.append(
                wrong("kafka", sentence, "the order of a key depends on it: docs/operations/kafka.md")
            )
    copies = min((len(p["replicas"]) for t in topics.values() for p in t["partitions"]), default=1)
    if brokers > 1 and copies < min(brokers, 3):
        sentence = f"some partitions have {copies} copies on {brokers} brokers"
        findings.append(warning("kafka", sentence, "losing a broker loses events: reassign with 3 replicas"))
    return findings or [ok("kafka", f"{len(planned)} topics, with their partitions")]


async def _groups(
    settings: Settings,
    admin: AIOKafkaAdminClient,
    topics: Mapping[str, Any],
    planned: Sequence[Planned],
) -> list[Finding]:
    """The lag of each service on each topic it consumes."""
    async with Reader(**kafka_client.connection(settings)) as consumer:
        looks = [
            _group(
                settings,
                admin,
                consumer,
                group_of(service, topic.name, settings.topic_prefix),
                service,
                places,
            )
            for topic, full_name, consumers in planned
            if (places := _places(topics, full_name))
            for service in consumers
        ]
        return list(await asyncio.gather(*looks))


def _places(topics: Mapping[str, Any], name: str) -> list[TopicPartition]:
    return [TopicPartition(name, n) for n in range(len(topics[name]["partitions"]))] if name in topics else []


async def _group(
    settings: Settings,
    admin: AIOKafkaAdminClient,
    consumer: Reader,
    group: str,
    service: str,
    places: Sequence[TopicPartition],
) -> Finding:
    try:
        async with asyncio.timeout(GROUP_TIMEOUT_S):
            await _wait_for_coordinator(admin, group)
            backlog = await _backlog(settings, admin, consumer, group, places)
            members = await kafka_client.members_of(admin, group)
            handled = await _handled(admin, group, places) if backlog.records and members else 0
    except (TimeoutError, KafkaError) as error:
        found = f"group {group}: its lag cannot be read ({type(error).__name__})"
        return warning(service, found, "look again in a minute; then see whether a broker is missing")
    return judge(group, service, backlog, members, handled)


async def _wait_for_coordinator(admin: AIOKafkaAdminClient, group: str) -> None:
    """Wait until the group has a coordinator: a new cluster makes its offsets topic at the first request."""
    while True:
        try:
            await admin.find_coordinator(group)
            return
        except GroupCoordinatorNotAvailableError:
            await asyncio.sleep(0.2)


async def _backlog(
    settings: Settings,
    admin: AIOKafkaAdminClient,
    consumer: Reader,
    group: str,
    places: Sequence[TopicPartition],
) -> Backlog:
    """What waits for the group; a partition without a committed offset counts from its first record."""
    ends, starts = await consumer.end_offsets(places), await consumer.beginning_offsets(places)
    at = await _committed(admin, group, places)
    return await look_at(settings, {p: at[p] if at[p] >= 0 else starts[p] for p in places}, ends)


async def _committed(
    admin: AIOKafkaAdminClient, group: str, places: Sequence[TopicPartition]
) -> dict[TopicPartition, int]:
    """The offset the group committed on each partition; -1 where it has none."""
    committed = await admin.list_consumer_group_offsets(group, partitions=list(places))
    return {place: committed[place].offset if place in committed else -1 for place in places}


async def _handled(admin: AIOKafkaAdminClient, group: str, places: Sequence[TopicPartition]) -> int:
    """How many records the group handles while we look, for PACE_S."""
    before = await _committed(admin, group, places)
    await asyncio.sleep(PACE_S)
    after = await _committed(admin, group, places)
    return sum(max(after[place] - max(before[place], 0), 0) for place in places)


def judge(group: str, service: str, backlog: Backlog, members: int, handled: int) -> Finding:
    """Say how far a group is behind; `handled` records in PACE_S are its pace."""
    lag = backlog.records
    found = f"group {group}: {members} processes, {lag} records behind"
    if backlog.troubles:
        return wrong(service, f"group {group}: {'; '.join(backlog.troubles)}", UNREAD)
    if not members:
        return warning(service, found, f"start `hobbs work {service}`")
    if not lag:
        return ok(service, found)
    found += f", {handled} handled in {PACE_S:g} s"
    if not handled:
        fix = f"the log of {service} says why it waits; so do /readyz and the sessions in pg_stat_activity"
        return warning(service, found, fix)
    if lag * PACE_S > handled * BEHIND_S_MAX:
        return warning(service, found, f"start more processes of {service}, up to the topic's partitions")
    return ok(service, found)
