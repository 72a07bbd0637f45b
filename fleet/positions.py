"""How far each partition is handled, kept in the database beside what its records caused.

Kafka's committed offsets say the same, but a database that was restored from a backup has forgotten what they
passed. So a consumer begins at the earlier of the two; the inbox drops what it knows. A position is written
after the effects of its records are committed, and seldom: one that is too early only repeats records.
"""

import logging
import time
from collections.abc import Iterable, Mapping
from typing import Any

from aiokafka import TopicPartition

from fleet.database import Database, Tx

WRITE_EVERY_S = 1.0

_log = logging.getLogger(__name__)

_WRITE = """
    INSERT INTO topic_position (topic, partition, next_offset)
    SELECT :topic, partition, next_offset
    FROM unnest(CAST(:partitions AS integer[]), CAST(:next_offsets AS bigint[]))
        AS handled (partition, next_offset)
    ORDER BY partition
    ON CONFLICT ON CONSTRAINT one_position_for_each_partition DO UPDATE
        SET next_offset = excluded.next_offset, written_at = excluded.written_at
        WHERE topic_position.next_offset < excluded.next_offset
"""
_BEGIN = """
    INSERT INTO topic_position (topic, partition, next_offset)
    SELECT :topic, partition, CASE WHEN EXISTS (SELECT FROM inbox) THEN next_offset ELSE 0 END
    FROM unnest(CAST(:partitions AS integer[]), CAST(:next_offsets AS bigint[]))
        AS known (partition, next_offset)
    ORDER BY partition
    ON CONFLICT ON CONSTRAINT one_position_for_each_partition DO NOTHING
"""


class Positions:
    """The places behind the last records that a member of a topic's group has handled."""

    def __init__(self, db: Database, topic: str) -> None:
        self._db = db
        self._topic = topic
        self._unwritten: dict[int, int] = {}
        self._written_at = float("-inf")
        self.reads_again = False  # what the group had passed, or a topic that this database never read

    def passed(self, records: Iterable[Any]) -> None:
        """Note records whose effects are committed."""
        for record in records:
            self._unwritten[record.partition] = record.offset + 1

    def reached(self, places: Mapping[int, int]) -> None:
        """Note places before which nothing is left to handle: markers, and what was aborted."""
        self._unwritten |= places

    async def write_if_due(self) -> None:
        """Write what was passed, at most once in WRITE_EVERY_S."""
        if time.monotonic() - self._written_at >= WRITE_EVERY_S:
            await self.write()

    async def write(self) -> None:
        """Write what was passed since the last time."""
        if not self._unwritten:
            return
        passed, self._unwritten = self._unwritten, {}
        self._written_at = time.monotonic()
        try:
            async with self._db.autocommit() as tx:
                await write(tx, self._topic, passed)
        except BaseException:
            self._unwritten = passed | self._unwritten  # written the next time
            raise

    async def missing(self, topic: str, ends: Mapping[int, int], *, service: str | None = None) -> int:
        """How many offsets another topic is from these ends: handled by this service, or by another one.

        service: one whose published positions this one's role may read.
        """
        async with self._db.autocommit() as tx:
            handled = await read(tx, topic, f"{service}_public.positions" if service else "topic_position")
        return sum(max(end - handled.get(partition, 0), 0) for partition, end in ends.items())

    async def rewind(self, consumer: Any, places: Iterable[Any]) -> None:
        """Have a consumer begin where the database ends, on partitions that it has just been assigned.

        `consumer`: aiokafka's; `places`: its TopicPartitions.
        """
        self._unwritten = {}
        assigned = list(places)
        if not assigned:
            return
        handled = await self._handled(consumer, assigned[0].topic)
        for place in assigned:
            position, committed = handled.get(place.partition, 0), await consumer.committed(place)
            if committed is None or committed <= position:
                continue
            details = {"partition": place.partition, "position": position, "committed": committed}
            _log.warning(
                "records are read again from where the database ends", extra={"topic": self._topic, **details}
            )
            self.reads_again = True
            consumer.seek(place, position)

    async def _handled(self, consumer: Any, topic: str) -> dict[int, int]:
        """The positions of the topic's partitions; the first time, those of the committed offsets.

        A service that has admitted nothing begins at the beginning, whatever was committed.
        """
        async with self._db.autocommit() as tx:
            handled = await read(tx, self._topic)
        if handled:
            return handled
        self.reads_again = True
        known = dict.fromkeys(sorted(consumer.partitions_for_topic(topic) or ()), 0)
        for number in known:
            known[number] = await consumer.committed(TopicPartition(topic, number)) or 0
        async with self._db.autocommit() as tx:
            await tx.execute(
                _BEGIN, topic=self._topic, partitions=list(known), next_offsets=list(known.values())
            )
            return await read(tx, self._topic)


async def write(tx: Tx, topic: str, passed: Mapping[int, int]) -> None:
    """Keep the places behind what is handled; one that is earlier than what is kept changes nothing."""
    await tx.execute(_WRITE, topic=topic, partitions=list(passed), next_offsets=list(passed.values()))


async def read(tx: Tx, topic: str, table: str = "topic_position") -> dict[int, int]:
    """The place behind the last handled record of each partition. `table`: a name of ours."""
    sql = f"SELECT partition, next_offset FROM {table} WHERE topic = :topic"  # noqa: S608
    return {row.partition: row.next_offset for row in await tx.all(sql, topic=topic)}
