"""The statement about a refused flight's record. Its letter is locked until the decision about it commits."""

from typing import Final
from uuid import UUID

from sqlalchemy import Row

from fleet.database import Tx

_OPEN: Final = """
    SELECT topic, key, value FROM dead_letter
    WHERE id = :id AND state = 'open' AND topic = ANY (CAST(:topics AS text[])) AND value IS NOT NULL
    FOR UPDATE
"""


async def lock_open(tx: Tx, letter_id: UUID, topics: list[str]) -> Row[tuple[str, bytes, bytes]] | None:
    """The record of an open letter of these topics; None: there is none, or its content is not kept."""
    return await tx.first(_OPEN, id=letter_id, topics=topics)
