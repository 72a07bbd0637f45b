"""SQL of changes of the book that one person asked for, and of the second persons who agreed."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from fleet.database import Tx

_WAITING: Final = """
    SELECT id, asked_by, why FROM book_word
    WHERE digest = :digest AND agreed_by IS NULL AND asked_at > :since
    ORDER BY asked_at DESC, id LIMIT 1
"""
_KEEP: Final = """
    INSERT INTO book_word (id, digest, asked_by, asked_at, why) VALUES (:id, :digest, :who, :now, :why)
"""
_AGREE: Final = "UPDATE book_word SET agreed_by = :who, agreed_at = :now WHERE id = :id"


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """What somebody asked for, and what a second person has to ask for too."""

    id: UUID
    asked_by: str
    why: str


async def waiting(tx: Tx, digest: bytes, since: datetime) -> Word | None:
    """The newest word of this change that waits for a second person; the book is locked."""
    row = await tx.first(_WAITING, digest=digest, since=since)
    return row and Word(id=row.id, asked_by=row.asked_by, why=row.why)


async def keep(tx: Tx, word: UUID, digest: bytes, *, who: str, why: str, now: datetime) -> None:
    """Keep what the first person asks for."""
    await tx.execute(_KEEP, id=word, digest=digest, who=who, why=why, now=now)


async def agree(tx: Tx, word: UUID, who: str, now: datetime) -> None:
    """Note that a second person asked for the same."""
    await tx.execute(_AGREE, id=word, who=who, now=now)
