"""Makes a service's tables anew in the schema beside: its own handlers, its own topics, nothing published."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

from aiokafka import TopicPartition

from fleet import positions, proved
from fleet.beside import twin
from fleet.database import Database
from fleet.envelope import Record
from fleet.proved import keys_in_inbox
from fleet.reader import Reader
from fleet.settings import Settings
from fleet.worker import Worker
from hobbs.rebuild.comparison import Compared, compare, tables_of
from hobbs.rebuild.order import in_order
from hobbs.rebuild.sources import Sources
from hobbs.replay import reading, service
from hobbs.replay.span import Part
from hobbs.shell.connections import acting_as


class NotMade(Exception):
    """The tables cannot be made anew; the sentence says why."""


@dataclass(slots=True, kw_only=True)
class Made:
    """What one run handled, by topic, and what it would have published: that was thrown away."""

    handled: Counter[str] = field(default_factory=Counter)
    thrown_away: Counter[str] = field(default_factory=Counter)


async def make(settings: Settings, sources: Sources) -> Made:
    """Read on from where the schema beside ends, and handle what the live service has handled.

    That is what is before its written places, and of what follows what its inbox holds: places are written
    seldom, and not at all by a process that was killed. Raises NotMade when a topic has lost its beginning,
    or ends before the live service's place.
    """
    worker = service.build(sources.service, with_keys=False)
    worker.database.stand_beside(twin(sources.service))
    try:
        async with acting_as(settings, sources.service) as live, reading.open_reader(settings) as reader:
            ranges = await _ranges(settings, reader, sources, live, worker.database)
            return await _handle(worker, live, reader, ranges)
    finally:
        await worker.database.close()


async def compared(settings: Settings, name: str, *, since: datetime | None = None) -> list[Compared]:
    """Both sides' tables, each compared in one snapshot."""
    async with acting_as(settings, name) as database, database.transaction() as tx:
        await tx.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        await tx.execute("SET LOCAL statement_timeout = 0")
        return [await compare(tx, name, table, since=since) for table in await tables_of(tx, name)]


class _Remembered:
    """Of events, when the live service admitted them."""

    def __init__(self, live: Database) -> None:
        self._live = live

    async def __call__(self, keys: Sequence[UUID]) -> Mapping[UUID, datetime]:
        async with self._live.autocommit() as tx:
            rows = await tx.all(_ADMITTED, keys=list(keys))
        return {row.event_key: row.admitted_at for row in rows}


@dataclass(slots=True, kw_only=True)
class _Ranges:
    """What is read of each topic, and behind which offset of each partition the live service may not be."""

    parts: dict[str, list[Part]] = field(default_factory=dict)
    handled: dict[str, dict[int, int]] = field(default_factory=dict)


async def _ranges(
    settings: Settings, reader: Reader, sources: Sources, live: Database, beside: Database
) -> _Ranges:
    """Of each topic and partition: from where the schema beside ends to where the topic ends now."""
    found = _Ranges()
    for topic in sources.topics:
        name = settings.topic_prefix + topic
        ends = await reader.ends_of(name)
        places = [TopicPartition(name, number) for number in sorted(ends)]
        firsts = await reader.beginning_offsets(places)
        async with live.autocommit() as tx:
            handled = found.handled[topic] = await positions.read(tx, topic)
        async with beside.autocommit() as tx:
            made = await positions.read(tx, topic)
        for place in places:
            begin, end = made.get(place.partition, 0), ends[place.partition]
            where = f"{topic} partition {place.partition}"
            if begin < firsts[place]:
                raise NotMade(
                    f"{where} begins with offset {firsts[place]}: what was before is gone, and the tables "
                    "were made of it too"
                )
            if end < handled.get(place.partition, 0):
                raise NotMade(
                    f"{where} ends before offset {handled[place.partition]}, where {sources.service} is: "
                    "the topic was lost or cut"
                )
            if begin < end:
                found.parts.setdefault(topic, []).append(Part(place=place, begin=begin, end=end))
    return found


async def _handle(worker: Worker, live: Database, reader: Reader, ranges: _Ranges) -> Made:
    made, remembered = Made(), _Remembered(live)
    if not ranges.parts:
        return made
    async for batch, passed in in_order(reader, ranges.parts, remembered):
        topic = batch[0].topic
        handled = ranges.handled[topic]
        known = await _known(
            [one for one in batch if one.offset >= handled.get(one.partition, 0)], remembered
        )
        chosen = [
            one
            for one in batch
            if one.offset < handled.get(one.partition, 0) or not known.isdisjoint(keys_in_inbox(one))
        ]
        believed = await _believed(worker, live, topic, chosen)
        if believed:
            await worker.handlers[topic](believed)
        made.handled[topic] += len(chosen)
        certain = {number: min(offset, handled.get(number, 0)) for number, offset in passed.items()}
        async with worker.database.transaction() as tx:
            thrown_away = await tx.all(_THROW_AWAY)
            await positions.write(tx, topic, certain)
        made.thrown_away += Counter({row.topic: row.rows for row in thrown_away})
    return made


async def _believed(
    worker: Worker, live: Database, topic: str, records: Sequence[Record]
) -> Sequence[Record]:
    """The records without what the live service did not believe, which is buried here too; no key is here."""
    asked = worker.publishers.topics.get(topic)
    if asked is None or asked.others:
        return records
    async with live.autocommit() as tx:
        refused = await proved.not_believed(tx, records)
    async with worker.database.transaction() as tx:
        await proved.bury(tx, refused)
    left_out = {id(record) for record in refused}
    return [record for record in records if id(record) not in left_out]


async def _known(records: Sequence[Record], remembered: _Remembered) -> frozenset[UUID]:
    keys = [key for record in records for key in keys_in_inbox(record)]
    return frozenset(await remembered(keys)) if keys else frozenset()


_ADMITTED: Final = """
    SELECT event_key, admitted_at FROM inbox WHERE event_key = ANY (CAST(:keys AS uuid[]))
"""
_THROW_AWAY: Final = """
    WITH gone AS (DELETE FROM outbox RETURNING topic)
    SELECT topic, count(*) AS rows FROM gone GROUP BY topic
"""
