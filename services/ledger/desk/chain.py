"""The hash chain over the journals: extended after the fact, verified in pages, by the database's functions.

Promises: the first journal that is not what was chained is named, whoever changed it. It must not run on
the way of posting, nor decide what a journal may say.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from fleet.database import Database, Tx

EXTEND_AT_ONCE: Final = 20_000
VERIFY_AT_ONCE: Final = 20_000
UNCHAINED_AFTER: Final = "15 minutes"


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The end of the chain, or of a verified part of it. Noted elsewhere, it vouches for all before it."""

    position: int
    hash: bytes

    def __str__(self) -> str:
        return f"{self.position}:{self.hash.hex()}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """The first link that is not what it should be. No journal: a link is missing, or the noted head."""

    position: int
    why: str
    journal_id: UUID | None = None
    source: str | None = None


START: Final = Head(position=0, hash=b"")


async def extend(tx: Tx, until: datetime) -> int:
    """Chain journals recorded before `until`, at most EXTEND_AT_ONCE; how many."""
    row = await tx.one(
        "SELECT extend_chain(CAST(:until AS timestamptz), :most) AS done", until=until, most=EXTEND_AT_ONCE
    )
    return int(row.done)


async def head(tx: Tx) -> Head:
    """The newest link."""
    row = await tx.first("SELECT position, hash FROM journal_link ORDER BY position DESC LIMIT 1")
    return START if row is None else Head(position=row.position, hash=row.hash)


async def verify(database: Database, noted: Head | None = None) -> Head | Broken:
    """Recompute the whole chain; where it ends, or where it first breaks. A transaction for each page.

    noted: a head somebody kept elsewhere; a chain that was written anew does not pass through it.
    """
    reached = START
    async for page in _pages(database):
        if isinstance(page, Broken):
            return page
        passes = noted is not None and reached.position < noted.position <= page.position
        if noted and passes and (fault := await _noted_fault(database, noted)):
            return fault
        reached = page
    if noted and noted.position > reached.position:
        return Broken(position=noted.position, why="the noted head is beyond the end of the chain")
    return await _unchained(database) or reached


async def _pages(database: Database) -> AsyncIterator[Head | Broken]:
    reached = START
    while True:
        async with database.transaction() as tx:
            row = await tx.one(_VERIFY, after=reached.position, hash=reached.hash, most=VERIFY_AT_ONCE)
        if row.why is not None:
            yield Broken(position=row.reached + 1, why=row.why, journal_id=row.journal_id, source=row.source)
            return
        if row.reached == reached.position:
            return
        reached = Head(position=row.reached, hash=row.reached_hash)
        yield reached


_VERIFY = """
    SELECT reached, reached_hash, why, journal_id, source
    FROM verify_links(CAST(:after AS bigint), CAST(:hash AS bytea), :most)
"""


async def _noted_fault(database: Database, noted: Head) -> Broken | None:
    async with database.transaction() as tx:
        row = await tx.one(
            "SELECT hash, journal_id FROM journal_link WHERE position = :position", position=noted.position
        )
    if row.hash == noted.hash:
        return None
    why = "the chain was written anew: here it is not what was noted"
    return Broken(position=noted.position, why=why, journal_id=row.journal_id)


async def _unchained(database: Database) -> Broken | None:
    """A journal that the chain has passed by, or will not reach for long: it says another time than it came.

    What is behind the head is not chained yet, and may wait for long: no worker may be running.
    """
    async with database.transaction() as tx:
        end = await head(tx)
        row = await tx.first(_UNCHAINED, age=UNCHAINED_AFTER)
    if row is None:
        return None
    why = f"recorded at {row.recorded_at.isoformat()}, and not chained"
    return Broken(position=end.position + 1, why=why, journal_id=row.id, source=row.source)


# extend_chain() looks ten minutes back from its head, and chains what is two minutes old.
_UNCHAINED = """
    WITH head AS (SELECT recorded_at FROM journal_link ORDER BY position DESC LIMIT 1)
    SELECT journal.id, journal.source, journal.recorded_at
    FROM journal
    LEFT JOIN journal_link ON journal_link.journal_id = journal.id
    WHERE journal_link.journal_id IS NULL
      AND (journal.recorded_at > now() + CAST(CAST(:age AS text) AS interval)
           OR (journal.recorded_at < now() - CAST(CAST(:age AS text) AS interval)
               AND journal.recorded_at < (SELECT recorded_at FROM head) - interval '10 minutes'))
    ORDER BY journal.recorded_at, journal.id LIMIT 1
"""


async def waiting(database: Database) -> int:
    """How many journals are not chained yet."""
    async with database.transaction() as tx:
        row = await tx.one(_WAITING)
    return int(row.journals)


_WAITING = """
    SELECT count(*) AS journals FROM journal
    WHERE NOT EXISTS (SELECT FROM journal_link WHERE journal_link.journal_id = journal.id)
"""
