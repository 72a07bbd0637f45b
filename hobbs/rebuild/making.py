"""Makes a service's tables anew in the schema beside: its own handlers, its own topics, nothing published."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

from aiokafka import TopicPartition

from fleet import positions
from fleet.beside import twin
from fleet.database import Database
from fleet.envelope import event_key_of
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


async def make(settings: Settings, sources: Sources, *, beyond: bool = False) -> Made:
    """Read on from where the schema beside ends to where the live service is, and handle what was read.

    beyond: also what the live service admitted behind the places that it wrote down, as after a kill. Raises
    NotMade when a topic has lost its beginning, or ends before the live service's place.
    """
    worker = service.build(sources.service)
    worker.database.stand_beside(twin(sources.service))
    try:
        async with acting_as(settings, sources.service) as live, reading.open_reader(settings) as reader:
            parts = await _parts(settings, reader, sources, live, worker.database, beyond=beyond)
            return await _handle(worker, reader, parts, _Remembered(live), beyond=beyond)
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


async def _parts(
    settings: Settings, reader: Reader, sources: Sources, live: Database, beside: Database, *, beyond: bool
) -> dict[str, list[Part]]:
    """Of each topic and partition: from where the schema beside ends to where the live service is."""
    found: dict[str, list[Part]] = {}
    for topic in sources.topics:
        name = settings.topic_prefix + topic
        ends = await reader.ends_of(name)
        places = [TopicPartition(name, number) for number in sorted(ends)]
        firsts = await reader.beginning_offsets(places)
        async with live.autocommit() as tx:
            handled = await positions.read(tx, topic)
        async with beside.autocommit() as tx:
            made = await positions.read(tx, topic)
        for place in places:
            begin, end = made.get(place.partition, 0), handled.get(place.partition, 0)
            if begin < firsts[place]:
                raise NotMade(
                    f"{topic} partition {place.partition} begins with offset {firsts[place]}: "
                    "what was before is gone, and the tables were made of it too"
                )
            if end > ends[place.partition]:
                raise NotMade(
                    f"{topic} partition {place.partition} ends before offset {end}, which "
                    f"{sources.service} has handled: the topic was lost or cut"
                )
            end = ends[place.partition] if beyond else end
            if begin < end:
                found.setdefault(topic, []).append(Part(place=place, begin=begin, end=end))
    return found


async def _handle(
    worker: Worker,
    reader: Reader,
    parts: Mapping[str, Sequence[Part]],
    remembered: _Remembered,
    *,
    beyond: bool,
) -> Made:
    made = Made()
    if not parts:
        return made
    async for batch, passed in in_order(reader, parts, remembered):
        topic = batch[0].topic
        if beyond:
            keys = [event_key_of(record, None) for record in batch]
            known = await remembered([key for key in keys if key is not None])
            batch = [record for key, record in zip(keys, batch, strict=True) if key in known]
        if batch:
            await worker.handlers[topic](batch)
        made.handled[topic] += len(batch)
        async with worker.database.transaction() as tx:
            made.thrown_away += Counter({row.topic: row.rows for row in await tx.all(_THROW_AWAY)})
            if not beyond:
                await positions.write(tx, topic, passed)
    return made


_ADMITTED: Final = """
    SELECT event_key, admitted_at FROM inbox WHERE event_key = ANY (CAST(:keys AS uuid[]))
"""
_THROW_AWAY: Final = """
    WITH gone AS (DELETE FROM outbox RETURNING topic)
    SELECT topic, count(*) AS rows FROM gone GROUP BY topic
"""
