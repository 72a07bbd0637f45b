"""Reads a closed range in batches, partition after partition, with a consumer that is in no group."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from fleet import kafka_client
from fleet.envelope import Record
from fleet.raw_records import record_of
from fleet.reader import Reader
from fleet.settings import Settings
from hobbs.replay.span import Part

BATCH: Final = 500
POLL_MS: Final = 1_000
NOTHING_FOR_S: Final = 30.0
HELD_MS: Final = 10  # by the broker, where a partition has no more: what is asked for next waits behind it


class Unread(Exception):
    """A partition does not go on before the end of the range."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Which records of the range, and how many a second."""

    key: str | None = None
    limit: int | None = None
    rate: float | None = None

    @property
    def sentences(self) -> list[str]:
        """What narrows the range, for people."""
        said = [] if self.key is None else [f"only key {self.key}"]
        return said if self.limit is None else [*said, f"at most {self.limit}"]


@asynccontextmanager
async def open_reader(settings: Settings) -> AsyncIterator[Reader]:
    """A reader in no group: no live group, offset or rebalance knows of it."""
    reader = Reader(
        **kafka_client.connection(settings),
        group_id=None,
        enable_auto_commit=False,
        auto_offset_reset="none",
        metadata_max_age_ms=kafka_client.METADATA_AGE_MS,
        fetch_max_wait_ms=HELD_MS,
    )
    try:
        await reader.start()
        yield reader
    finally:
        await reader.stop()


async def of_topic(
    reader: Reader, topic: str, parts: Sequence[Part], choice: Choice
) -> AsyncIterator[Sequence[Record]]:
    """Batches of the range, the same ones in the same order each time it is read."""
    async for batch in chosen(_of_parts(reader, topic, parts), choice):
        yield batch


async def of_nothing() -> AsyncIterator[Sequence[Record]]:
    """No batch."""
    nothing: Sequence[Sequence[Record]] = ()
    for batch in nothing:
        yield batch


async def chosen(batches: AsyncIterator[Sequence[Record]], choice: Choice) -> AsyncIterator[Sequence[Record]]:
    """Those that are meant, no faster than asked."""
    key, left = None if choice.key is None else choice.key.encode(), choice.limit
    began, given = time.monotonic(), 0
    async for batch in batches:
        some = [record for record in batch if key is None or record.key == key][:left]
        if some:
            given += len(some)
            left = None if left is None else left - len(some)
            yield some
        if left == 0:
            return
        if choice.rate is not None:
            await asyncio.sleep(max(began + given / choice.rate - time.monotonic(), 0))


async def _of_parts(reader: Reader, topic: str, parts: Sequence[Part]) -> AsyncIterator[Sequence[Record]]:
    for part in parts:
        async for batch in _of_part(reader, topic, part):
            yield batch


async def _of_part(reader: Reader, topic: str, part: Part) -> AsyncIterator[Sequence[Record]]:
    reader.assign([part.place])
    reader.seek(part.place, part.begin)
    moved_at, position = time.monotonic(), part.begin
    while position < part.end:
        found = await reader.getmany(timeout_ms=POLL_MS, max_records=BATCH)
        some = [raw for raw in found.get(part.place, ()) if raw.offset < part.end]
        if some:
            yield [record_of(raw, topic) for raw in some]
        before, position = position, await reader.position(part.place)
        if position > before:
            moved_at = time.monotonic()
        elif time.monotonic() - moved_at > NOTHING_FOR_S:
            raise Unread("; ".join(reader.standing_now()) or f"nothing came of {part.place} for 30 s")
    reader.pause(part.place)
