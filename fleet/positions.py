"""How far each partition is handled, kept in the database beside what its records caused.

Kafka's committed offsets say the same, but a database that was restored from a backup has forgotten what they
passed. So a consumer begins at the earlier of the two; the inbox drops what it knows. A position is written
after the effects of its records are committed, and seldom: one that is too early only repeats records.
"""

import logging
import time
from collections.abc import Iterable, Mapping
from typing import Any

from fleet.database import Database, Tx

WRITE_EVERY_S = 1.0

_log = logging.getLogger(__name__)

_WRITE = """
    INSERT INTO position (topic, partition, next_offset)
    SELECT :topic, partition, next_offset
    FROM unnest(CAST(:partitions AS integer[]), CAST(:next_offsets AS bigint[]))
        AS handled (partition, next_offset)
    ORDER BY partition
    ON CONFLICT ON CONSTRAINT one_position_for_each_partition DO UPDATE
        SET next_offset = excluded.next_offset, written_at = excluded.written_at
        WHERE position.next_offset < excluded.next_offset
"""
_READ = """
    SELECT partition, next_offset FROM position
    WHERE topic = :topic AND partition = ANY (CAST(:partitions AS integer[]))
"""


class Positions:
    """The places behind the last records that a member of a topic's group has handled."""

    def __init__(self, db: Database, topic: str) -> None:
        self._db = db
        self._topic = topic
        self._unwritten: dict[int, int] = {}
        self._written_at = float("-inf")

    def passed(self, records: Iterable[Any]) -> None:
        """Note records whose effects are committed."""
        for record in records:
            self._unwritten[record.partition] = record.offset + 1

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
        async with self._db.autocommit() as tx:
            await tx.execute(
                _WRITE, topic=self._topic, partitions=list(passed), next_offsets=list(passed.values())
            )

    async def rewind(self, consumer: Any, places: Iterable[Any]) -> None:
        """Have a consumer begin where the database ends, on partitions that it has just been assigned.

        `consumer`: aiokafka's; `places`: its TopicPartitions.
        """
        by_partition = {place.partition: place for place in places}
        self._unwritten = {}
        async with self._db.autocommit() as tx:
            handled = await read(tx, self._topic, by_partition)
        committed = {number: await consumer.committed(by_partition[number]) for number in handled}
        for number, offset in read_again_from(committed, handled).items():
            details = {"partition": number, "position": offset, "committed": committed[number]}
            _log.warning(
                "records are read again from where the database ends", extra={"topic": self._topic, **details}
            )
            consumer.seek(by_partition[number], offset)


async def read(tx: Tx, topic: str, partitions: Iterable[int]) -> dict[int, int]:
    """The place behind the last handled record of each partition that has one."""
    rows = await tx.all(_READ, topic=topic, partitions=sorted(partitions))
    return {row.partition: row.next_offset for row in rows}


def read_again_from(committed: Mapping[int, int | None], handled: Mapping[int, int]) -> dict[int, int]:
    """Where to begin instead of at the committed offset: partitions of which the database knows less."""
    return {
        partition: handled[partition]
        for partition, offset in committed.items()
        if offset is not None and handled.get(partition, offset) < offset
    }
