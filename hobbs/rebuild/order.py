"""Records of several topics in one order: as the live service admitted them, else as they were stamped.

A partition's own order is kept. Of each partition no more is in memory than was fetched at once.
"""

import heapq
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

from fleet.envelope import Record
from fleet.proved import keys_in_inbox
from fleet.raw_records import record_of
from fleet.reader import Reader
from hobbs.replay.reading import NOTHING_FOR_S, POLL_MS, Unread
from hobbs.replay.span import Part

BATCH: Final = 500

# When the live service admitted each of these events; one that it does not remember is not there.
AdmittedAt = Callable[[Sequence[UUID]], Awaitable[Mapping[UUID, datetime]]]


@dataclass(slots=True, kw_only=True)
class _Queue:
    """What was fetched of a partition and not yet taken."""

    part: Part
    topic: str
    waiting: deque[tuple[datetime, Record]] = field(default_factory=deque)
    position: int


async def in_order(
    reader: Reader, parts: Mapping[str, Sequence[Part]], admitted_at: AdmittedAt
) -> AsyncIterator[tuple[Sequence[Record], Mapping[int, int]]]:
    """Batches of one topic each, and how far its partitions are passed with it. parts: by topic."""
    queues = [
        _Queue(part=part, topic=topic, position=part.begin) for topic, some in parts.items() for part in some
    ]
    reader.assign([queue.part.place for queue in queues])
    for queue in queues:
        reader.seek(queue.part.place, queue.part.begin)
    heads: list[tuple[datetime, int]] = []
    for number, queue in enumerate(queues):
        await _fill(reader, queue, admitted_at)
        _push(heads, queue, number)
    batch: list[Record] = []
    passed: dict[int, int] = {}
    while heads:
        _, number = heapq.heappop(heads)
        queue = queues[number]
        if batch and (batch[-1].topic != queue.topic or len(batch) == BATCH):
            yield batch, passed
            batch, passed = [], {}
        record = queue.waiting.popleft()[1]
        batch.append(record)
        passed[record.partition] = record.offset + 1
        if not queue.waiting:
            await _fill(reader, queue, admitted_at)
        if not queue.waiting:
            passed[record.partition] = queue.part.end
        _push(heads, queue, number)
    if batch:
        yield batch, passed


def _push(heads: list[tuple[datetime, int]], queue: _Queue, number: int) -> None:
    if queue.waiting:
        heapq.heappush(heads, (queue.waiting[0][0], number))


async def _fill(reader: Reader, queue: _Queue, admitted_at: AdmittedAt) -> None:
    """Fetch more of a partition, unless it has been read to its end."""
    place, moved = queue.part.place, time.monotonic()
    while not queue.waiting and queue.position < queue.part.end:
        found = await reader.getmany(place, timeout_ms=POLL_MS, max_records=BATCH)
        some = [record_of(raw, queue.topic) for raw in found.get(place, ()) if raw.offset < queue.part.end]
        before, queue.position = queue.position, await reader.position(place)
        queue.waiting.extend(await _stamped(some, admitted_at))
        if queue.position > before:
            moved = time.monotonic()
        elif time.monotonic() - moved > NOTHING_FOR_S:
            raise Unread("; ".join(reader.standing_now()) or f"nothing came of {place} for 30 s")


async def _stamped(records: Sequence[Record], admitted_at: AdmittedAt) -> Sequence[tuple[datetime, Record]]:
    if not records:
        return ()
    keys = [keys_in_inbox(record) for record in records]
    known = await admitted_at([key for some in keys for key in some])
    return [
        (next((known[key] for key in some if key in known), record.timestamp), record)
        for some, record in zip(keys, records, strict=True)
    ]
