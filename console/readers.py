"""How far the readers of each service are, and how old the oldest record is that one has not handled.

Kafka is asked for offsets and their times only: no record is read here. Where a service is, it has written
down itself, beside what its records caused.
"""

import asyncio
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import GroupCoordinatorNotAvailableError, KafkaError

from fleet import kafka_client
from fleet.reader import Reader
from fleet.settings import Settings
from schemas.kafka_rights import READ_BY_ALL, group_of, readers
from schemas.services import DECIDE
from schemas.topics import TOPICS

ANSWERS_WITHIN_S: Final = 2.0
AGAIN_AFTER_S: Final = 10.0  # a Kafka that did not answer is left alone for so long
OLDEST_S: Final = 10 * 365 * 86_400.0  # further back nobody looks
LATE_AFTER_S: Final = 60.0  # as the alert HobbsConsumerLag: what waits longer is somebody's business


class NoAnswer(Exception):
    """Kafka did not say, and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What one service reads of one topic: records that wait, since when, and when it went on last."""

    service: str
    topic: str
    waiting: int
    oldest_at: datetime | None
    handled_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Readers:
    """processes: how many of each service are there; nobody knows of one that is missing."""

    places: Sequence[Place]
    processes: Mapping[str, int]

    def by_service(self, now: datetime) -> list[dict[str, Any]]:
        """Each service with all that it reads together, those that are furthest behind first."""
        rows = [self._service(name, now) for name in DECIDE]
        return sorted(rows, key=lambda row: (row["stands"] == "reading", row["oldest_at"] or now))

    def _service(self, name: str, now: datetime) -> dict[str, Any]:
        own = [one for one in self.places if one.service == name]
        behind = [one for one in own if one.waiting]
        oldest = min((one.oldest_at for one in behind if one.oldest_at), default=None)
        late = oldest is not None and (now - oldest).total_seconds() > LATE_AFTER_S
        processes = self.processes.get(name)
        return {
            "service": name,
            "topics": len(own),
            "waiting": sum(one.waiting for one in own),
            "oldest_at": oldest,
            "behind_on": ", ".join(one.topic for one in behind),
            "handled_at": max((one.handled_at for one in own if one.handled_at), default=None),
            "stands": "away" if processes == 0 else "late" if late else "reading" if processes else "unknown",
        }

    def late(self, now: datetime) -> list[dict[str, Any]]:
        """The services that somebody has to look at."""
        return [row for row in self.by_service(now) if row["stands"] in ("away", "late")]


@dataclass(slots=True, kw_only=True)
class Lookout:
    """The console's own connection to Kafka for this; opened when somebody asks."""

    settings: Settings
    _reader: Reader | None = None
    _admin: AIOKafkaAdminClient | None = None
    _opening: asyncio.Lock = field(default_factory=asyncio.Lock)
    _failed_at: float = float("-inf")
    _failed_why: str = ""

    async def look(self, positions: Iterable[Mapping[str, Any]]) -> Readers:
        """How far everybody is, from the positions that services wrote. Raises NoAnswer."""
        if time.monotonic() - self._failed_at < AGAIN_AFTER_S:
            raise NoAnswer(self._failed_why)
        try:
            async with asyncio.timeout(ANSWERS_WITHIN_S):
                return await self._look(list(positions))
        except (KafkaError, OSError, TimeoutError) as error:
            self._failed_at, self._failed_why = time.monotonic(), type(error).__name__
            await self.close()
            raise NoAnswer(self._failed_why) from error

    async def close(self) -> None:
        """Let go of both connections."""
        (reader, self._reader), (admin, self._admin) = (self._reader, None), (self._admin, None)
        for one in (reader and reader.stop, admin and admin.close):
            if one:
                await one()

    async def _look(self, positions: Sequence[Mapping[str, Any]]) -> Readers:
        reader, admin = await self._open()
        prefix = self.settings.topic_prefix
        read = {prefix + name: readers(topic) for name, topic in TOPICS.items() if readers(topic)}
        partitions = await reader.partitions_of(list(read))
        places = [TopicPartition(topic, number) for topic, some in partitions.items() for number in some]
        ends, starts = await reader.end_offsets(places), await reader.beginning_offsets(places)
        found, processes = list[Place](), dict[str, int]()
        for service in DECIDE:
            own = {(one["topic"], one["partition"]): one for one in positions if one["service"] == service}
            mine = [place for place in places if service in read[place.topic]]
            at = {
                place: max(known["next_offset"] if known else 0, starts[place])
                for place in mine
                for known in [own.get((place.topic.removeprefix(prefix), place.partition))]
            }
            first = {place: offset for place, offset in at.items() if offset < ends[place]}
            behind = {place: ends[place] - offset for place, offset in first.items()}
            since = await times_of(reader, first)
            found += [
                _place(service, topic.removeprefix(prefix), behind, since, own.values(), prefix)
                for topic in read
                if service in read[topic]
            ]
            with suppress(GroupCoordinatorNotAvailableError):  # whoever keeps the group is away itself
                group = group_of(service, READ_BY_ALL, prefix)
                processes[service] = await kafka_client.members_of(admin, group)
        return Readers(places=found, processes=processes)

    async def _open(self) -> tuple[Reader, AIOKafkaAdminClient]:
        async with self._opening:
            if self._reader is None or self._admin is None:
                connection = kafka_client.connection(self.settings)
                self._reader = Reader(**connection, enable_auto_commit=False)
                self._admin = AIOKafkaAdminClient(
                    **connection, request_timeout_ms=int(ANSWERS_WITHIN_S * 1000)
                )
                await self._reader.start()
                await self._admin.start()
            return self._reader, self._admin


def _place(
    service: str,
    topic: str,
    behind: Mapping[TopicPartition, int],
    since: Mapping[TopicPartition, datetime],
    positions: Iterable[Mapping[str, Any]],
    prefix: str,
) -> Place:
    own = [place for place in behind if place.topic == prefix + topic]
    return Place(
        service=service,
        topic=topic,
        waiting=sum(behind[place] for place in own),
        oldest_at=min((since[place] for place in own), default=None),
        handled_at=max((one["written_at"] for one in positions if one["topic"] == topic), default=None),
    )


async def times_of(reader: Any, first: Mapping[TopicPartition, int]) -> dict[TopicPartition, datetime]:
    """When the records at these offsets were published, by the times they carry: to a second, or a fiftieth.

    A broker says which offset is the first at or after an instant. Where that lies behind ours, ours is
    older: so one looks twice as far back each time, and then between.
    """
    now = time.time()
    older, younger = dict.fromkeys(first, 0.0), dict[TopicPartition, float]()  # than so many seconds
    found: dict[TopicPartition, datetime] = {}
    while left := {place for place in first if place not in found}:
        looks = {
            place: (older[place] + younger[place]) / 2 if place in younger else max(2 * older[place], 1.0)
            for place in left
        }
        answers = await reader.offsets_for_times({p: int((now - back) * 1000) for p, back in looks.items()})
        for place, back in looks.items():
            answer = answers[place]
            if answer is None or answer.offset > first[place]:
                older[place] = back
            elif answer.offset == first[place]:
                found[place] = datetime.fromtimestamp(answer.timestamp / 1000, UTC)
            else:
                younger[place] = back
            if back > OLDEST_S or younger.get(place, OLDEST_S) - older[place] <= max(1.0, older[place] / 50):
                found.setdefault(place, datetime.fromtimestamp(now - older[place], UTC))
    return found
