"""Examines a deployment after a restore: does the database agree with Kafka, with Stripe, with people.

What Kafka and Stripe know and a restored database does not, the services read again by themselves (decision
0150). What nobody publishes again is named here: decisions of people, and journals posted by hand.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import orjson
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.structs import OffsetAndMetadata

from fleet import kafka_client
from fleet.reader import Reader
from fleet.settings import Settings
from hobbs.doctor.findings import Finding, ok, warning, wrong
from hobbs.replay.reading import open_reader
from hobbs.shell.connections import reading
from schemas.kafka_rights import group_of
from schemas.services import SERVICES
from schemas.topics import TOPICS

WRITTEN_LATE: Final = timedelta(seconds=30)  # a running service writes its positions every few seconds
LOOKS, APART_S = 8, 1.0  # at a running service: it writes its positions every five seconds
EARLIER: Final = timedelta(hours=1)  # of what was published shortly before the backup
NAMED_MAX: Final = 20
READ_S: Final = 30.0
NO_POSITIONS: Final = (
    "the database does not say how far it is: it is of a release before 0.2, not started since"
)
SET_TO_EARLIEST: Final = (
    "after a restore: set its groups to the earliest offset (docs/operations/kafka.md) first"
)

_POSITIONS = "SELECT topic, partition, next_offset, written_at FROM positions"
_FOUND = "SELECT stripe_id, wallet, standing, sentence FROM payouts_public.found_effects ORDER BY made_at"
_KNOWN_SOURCES = """
    SELECT source FROM ledger_public.journals WHERE source = ANY (CAST(:sources AS text[]))
"""
_ADMITTED = "SELECT event_key FROM admitted_events WHERE event_key = ANY (CAST(:ids AS uuid[]))"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One partition, as Kafka and as the database know it. Offsets; -1: none is committed."""

    partition: int
    begin: int
    end: int
    committed: int
    position: int
    written_at: datetime | None
    running: bool  # the group has members

    def is_behind(self, late: datetime) -> bool:
        """Say whether the database is older than the commit, and nobody has written it since `late`."""
        written = self.running and self.written_at is not None and self.written_at >= late
        return self.committed > self.position and not written


async def examine_restore(settings: Settings, since: datetime | None) -> list[Finding]:
    """Compare the database with Kafka and with what was found at Stripe.

    since: look at decisions and journals of that time and later; without it, of the last time that the
    database wrote how far it was, less an hour.
    """
    findings: list[Finding] = []
    written: list[datetime] = []
    admin = AIOKafkaAdminClient(**kafka_client.connection(settings), request_timeout_ms=10_000)
    async with open_reader(settings) as consumer:
        await admin.start()
        try:
            for looks in range(LOOKS):
                # Before Kafka is asked: a service that works must not seem to be behind its topics' ends.
                known = {service: await _positions(settings, service) for service in SERVICES}
                offsets = await _offsets(settings, admin, consumer)
                places = {name: _places(settings, offsets, name, rows) for name, rows in known.items()}
                if looks == LOOKS - 1 or not any(map(_may_be_unwritten, places.values())):
                    break
                await asyncio.sleep(APART_S)
            for service, positions in known.items():
                written += [row.written_at for row in positions]
                if not positions and await _has_admitted(settings, service):
                    findings.append(wrong(service, NO_POSITIONS, SET_TO_EARLIEST))
                else:
                    findings.append(judge_places(service, places[service]))
        finally:
            await admin.close()
        begin = since or (min(written) - EARLIER if written else datetime.now(UTC) - EARLIER)
        findings += await _found_effects(settings)
        findings.append(await _decisions(settings, consumer, begin))
        findings.append(await _journals(settings, consumer, begin))
    return findings


# Offsets


async def _positions(settings: Settings, service: str) -> list[Any]:
    async with reading(settings, service) as db, db.transaction() as tx:
        return await tx.all(_POSITIONS)


async def _has_admitted(settings: Settings, service: str) -> bool:
    async with reading(settings, service) as db, db.transaction() as tx:
        return await tx.first("SELECT event_key FROM admitted_events LIMIT 1") is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Offsets:
    """Where Kafka's partitions begin and end, what groups have committed, and which have members."""

    begins: Mapping[TopicPartition, int]
    ends: Mapping[TopicPartition, int]
    committed: Mapping[str, Mapping[TopicPartition, OffsetAndMetadata]]
    running: Set[str]


async def _offsets(settings: Settings, admin: AIOKafkaAdminClient, consumer: Reader) -> Offsets:
    """Every topic that a service reads, in one look."""
    read = {topic.name: topic.consumers for topic in TOPICS.values() if set(topic.consumers) & set(SERVICES)}
    places = await consumer.places_of(*(settings.topic_prefix + name for name in read))
    groups = [
        group_of(service, name, settings.topic_prefix)
        for name, services in read.items()
        for service in services
        if service in SERVICES
    ]
    begins, ends, committed, members = await asyncio.gather(
        consumer.beginning_offsets(places),
        consumer.end_offsets(places),
        asyncio.gather(*(admin.list_consumer_group_offsets(group) for group in groups)),
        asyncio.gather(*(kafka_client.members_of(admin, group) for group in groups)),
    )
    return Offsets(
        begins=begins,
        ends=ends,
        committed=dict(zip(groups, committed, strict=True)),
        running={group for group, number in zip(groups, members, strict=True) if number},
    )


def _places(
    settings: Settings, offsets: Offsets, service: str, positions: Sequence[Any]
) -> dict[str, list[Place]]:
    """Every partition that a service reads, by topic."""
    known = {(row.topic, row.partition): row for row in positions}
    found: dict[str, list[Place]] = {}
    for topic in TOPICS.values():
        if service not in topic.consumers:
            continue
        group = group_of(service, topic.name, settings.topic_prefix)
        committed = offsets.committed[group]
        found[topic.name] = [
            Place(
                partition=place.partition,
                begin=begin,
                end=offsets.ends[place],
                committed=committed[place].offset if place in committed else -1,
                position=row.next_offset if (row := known.get((topic.name, place.partition))) else 0,
                written_at=row.written_at if row else None,
                running=group in offsets.running,
            )
            for place, begin in sorted(offsets.begins.items())
            if place.topic == settings.topic_prefix + topic.name
        ]
    return found


def _may_be_unwritten(topics: Mapping[str, Sequence[Place]]) -> bool:
    """Say whether a running service seems behind its commits: positions are written a bit later."""
    late = datetime.now(UTC) - WRITTEN_LATE
    places = (place for found in topics.values() for place in found)
    return any(place.running and place.is_behind(late) for place in places)


def judge_places(service: str, topics: Mapping[str, Sequence[Place]], now: datetime | None = None) -> Finding:
    """Say in which state a service's offsets and its database are. now: when the places were read."""
    late = (now or datetime.now(UTC)) - WRITTEN_LATE
    ahead, again = 0, 0
    for name, places in topics.items():
        for place in places:
            if place.position > place.end:
                sentence = f"{name}-{place.partition} ends at {place.end}; {place.position} are handled"
                fix = "Kafka lost records or is another one: see docs/operations/kafka.md before any start"
                return wrong(service, sentence, fix)
            begin = min(place.position, place.committed) if place.committed >= 0 else place.position
            if place.committed > place.position and begin < place.begin:
                sentence = f"{name}-{place.partition} begins at {place.begin}; {begin} is to be read next"
                fix = "Kafka deleted these records: restore a younger backup, or publish them again"
                return wrong(service, sentence, fix)
            if place.is_behind(late):
                ahead += place.committed - place.position
            elif 0 <= place.committed < place.position:
                again += place.position - place.committed
    if ahead:
        sentence = f"the database is older than the offsets: {ahead} records are handled again at the start"
        return warning(service, sentence, "start the service: it reads from where the database ends")
    if again:
        return ok(service, f"{again} records are read again and dropped, as the database knows them")
    return ok(service, "database and offsets agree")


# Stripe


async def _found_effects(settings: Settings) -> list[Finding]:
    async with reading(settings) as db, db.transaction() as tx:
        rows = await tx.all(_FOUND)
    waiting = [row for row in rows if row.standing == "waiting"]
    doubtful = [row for row in rows if row.standing == "doubtful"]
    findings = [
        wrong("stripe", f"{row.stripe_id} for {row.wallet}: {row.sentence}", "docs/operations/postgres.md")
        for row in doubtful[:NAMED_MAX]
    ]
    if waiting:
        first = f"{waiting[0].stripe_id} {waiting[0].sentence}"
        sentence = f"{len(waiting)} effects at Stripe are not adopted yet; the first: {first}"
        findings.append(warning("stripe", sentence, "start billing, ledger and payouts; look again"))
    adopted = len(rows) - len(waiting) - len(doubtful)
    return findings or [ok("stripe", f"nothing is left to adopt; {adopted} effects were")]


# What nobody publishes again


async def _decisions(settings: Settings, consumer: Reader, since: datetime) -> Finding:
    """Decisions that were done and that the database does not know, or refused when they were read again."""
    done: dict[str, dict[str, Any]] = {}
    async for body in _records(settings, consumer, "decision.taken", since):
        if body["outcome"] == "done":
            done[body["decision_id"]] = body
        elif body["outcome"] == "refused" and body["decision_id"] in done:
            done[body["decision_id"]]["lost"] = True
    lost = [one for one in done.values() if one.get("lost")]
    for service in {one["service"] for one in done.values()} & set(SERVICES):
        ours = [one for one in done.values() if one["service"] == service and not one.get("lost")]
        async with reading(settings, service) as db, db.transaction() as tx:
            rows = await tx.all(_ADMITTED, ids=[one["decision_id"] for one in ours])
        known = {str(row.event_key) for row in rows}
        lost += [one for one in ours if one["decision_id"] not in known]
    if not lost:
        return ok("decisions", f"the database knows every decision since {since:%Y-%m-%d %H:%M} UTC")
    named = "; ".join(f"{one['service']}: {one['sentence']}" for one in lost[:NAMED_MAX])
    return wrong("decisions", f"{len(lost)} decisions are forgotten: {named}", "take them again")


async def _journals(settings: Settings, consumer: Reader, since: datetime) -> Finding:
    """Journals that were posted and that the ledger does not have: most were posted by hand."""
    posted = [body["source"] async for body in _records(settings, consumer, "journal.posted", since)]
    async with reading(settings) as db, db.transaction() as tx:
        known = {row.source for row in await tx.all(_KNOWN_SOURCES, sources=sorted(set(posted)))}
    missing = list(dict.fromkeys(source for source in posted if source not in known))
    if not missing:
        return ok("ledger", f"it has every journal posted since {since:%Y-%m-%d %H:%M} UTC")
    named = ", ".join(missing[:NAMED_MAX])
    sentence = f"{len(missing)} journals that were posted are not in the ledger: {named}"
    return wrong("ledger", sentence, "when the services have caught up: post again what is still missing")


async def _records(
    settings: Settings, consumer: Reader, topic: str, since: datetime
) -> AsyncIterator[dict[str, Any]]:
    """The bodies of a topic's records since then, as far as they are JSON."""
    name = settings.topic_prefix + topic
    places = await consumer.places_of(name)
    ends = await consumer.end_offsets(places)
    begins = await consumer.offsets_for_times({p: int(since.timestamp() * 1000) for p in places})
    left = {p: ends[p] for p in places if begins[p] is not None and begins[p].offset < ends[p]}
    consumer.assign(list(left))
    for place in left:
        consumer.seek(place, begins[place].offset)
    while left:
        found = await consumer.getmany(timeout_ms=int(READ_S * 1000))
        if not found:
            raise TimeoutError(f"{topic} cannot be read to its end")
        for place, records in found.items():
            for record in records:
                if (body := _body(record.value)) is not None:
                    yield body
            if place in left and await consumer.position(place) >= left[place]:
                del left[place]


def _body(value: bytes | None) -> dict[str, Any] | None:
    try:
        read = orjson.loads(value or b"")
    except orjson.JSONDecodeError:
        return None
    return read if isinstance(read, dict) else None
