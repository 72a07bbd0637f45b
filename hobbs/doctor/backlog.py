"""Looks at what waits in front of a group: records, or only transactions' markers, or what cannot be read."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from aiokafka import TopicPartition

from fleet import kafka_client
from fleet.reader import Reader
from fleet.settings import Settings

LOOK_S: Final = 3.0
COUNTED_MAX: Final = 200  # beyond, markers and aborted records make no difference


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """How many records wait, and a sentence for each partition that cannot be read."""

    records: int
    troubles: list[str]


async def look_at(
    settings: Settings, at: Mapping[TopicPartition, int], ends: Mapping[TopicPartition, int]
) -> Backlog:
    """Read on from where a group stands, in no group; offsets that hold no record do not count."""
    behind = {place: ends[place] - offset for place, offset in at.items() if offset < ends[place]}
    if not behind:
        return Backlog(records=0, troubles=[])
    reader = Reader(**kafka_client.connection(settings), enable_auto_commit=False)
    await reader.start()
    try:
        reader.assign(list(behind))
        for place in behind:
            reader.seek(place, at[place])
        counted = await _count(
            reader, {p: ends[p] for p, some in behind.items() if some <= COUNTED_MAX}, behind
        )
        return Backlog(records=sum((behind | counted).values()), troubles=reader.standing_now())
    finally:
        await reader.stop()


async def _count(
    reader: Reader, few: Mapping[TopicPartition, int], behind: Mapping[TopicPartition, int]
) -> dict[TopicPartition, int]:
    """The records of the partitions that have few; of a partition that did not end in time, none is said."""
    seen = dict.fromkeys(behind, 0)
    loop = asyncio.get_running_loop()
    until, left = loop.time() + LOOK_S, set(behind)
    while left and loop.time() < until:
        for place, records in (await reader.getmany(timeout_ms=200)).items():
            seen[place] += sum(record.offset < few.get(place, 0) for record in records)
        left = {p for p in left if p not in reader.standing and not await _is_done(reader, p, few)}
    return {place: seen[place] for place in few if place not in left and place not in reader.standing}


async def _is_done(reader: Reader, place: TopicPartition, few: Mapping[TopicPartition, int]) -> bool:
    """Of a long backlog the first answer is enough: it says whether the partition can be read."""
    position = int(await reader.position(place))
    return position >= few[place] if place in few else reader.has_answered(place)
