"""SQL of who asked that an account be taken or a link be made, and of the second persons who agreed."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from fleet.database import Tx

_WAITING = """
    SELECT id, asked_by FROM account_word
    WHERE (act, wallet, about) = (:act, :wallet, :about) AND agreed_by IS NULL AND asked_at > :since
    ORDER BY asked_at DESC, id LIMIT 1
"""
_KEEP = """
    INSERT INTO account_word (id, act, wallet, about, asked_by, asked_at, why)
    VALUES (:id, :act, :wallet, :about, :who, :now, :why)
"""
_AGREE = "UPDATE account_word SET agreed_by = :who, agreed_at = :now WHERE id = :id"


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """What somebody asked for, and what a second person has to ask for too."""

    id: UUID
    asked_by: str


async def waiting(tx: Tx, act: str, wallet: str, about: str, since: datetime) -> Word | None:
    """The newest word of this act that waits for a second person; the payee is locked."""
    row = await tx.first(_WAITING, act=act, wallet=wallet, about=about, since=since)
    return row and Word(id=row.id, asked_by=row.asked_by)


async def keep(
    tx: Tx, word: UUID, act: str, wallet: str, about: str, *, who: str, why: str, now: datetime
) -> None:
    """Keep what the first person asks for."""
    await tx.execute(_KEEP, id=word, act=act, wallet=wallet, about=about, who=who, why=why, now=now)


async def agree(tx: Tx, word: UUID, who: str, now: datetime) -> None:
    """Note that a second person asked for the same."""
    await tx.execute(_AGREE, id=word, who=who, now=now)
