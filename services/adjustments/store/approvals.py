"""SQL of approvals: who approved which content. They are only added to."""

from datetime import datetime
from typing import Final
from uuid import UUID

from fleet.database import Tx

_OF_CONTENT: Final = """
    SELECT approver FROM approval WHERE adjustment_id = :id AND content_hash = decode(:hash, 'hex')
    ORDER BY approved_at, decision_id
"""


async def of_content(tx: Tx, adjustment_id: UUID, content_hash: str) -> list[str]:
    """Who approved this content of an adjustment, the first one first."""
    return [row.approver for row in await tx.all(_OF_CONTENT, id=adjustment_id, hash=content_hash)]


_ADD: Final = """
    INSERT INTO approval (decision_id, adjustment_id, content_hash, approver, why, approved_at)
    VALUES (:decision_id, :adjustment_id, decode(:hash, 'hex'), :approver, :why, :now)
"""


async def add(
    tx: Tx,
    *,
    decision_id: UUID,
    adjustment_id: UUID,
    content_hash: str,
    approver: str,
    why: str,
    now: datetime,
) -> None:
    """Keep a person's approval of this content. The database refuses a maker's, and a person's second."""
    await tx.execute(
        _ADD,
        decision_id=decision_id,
        adjustment_id=adjustment_id,
        hash=content_hash,
        approver=approver,
        why=why,
        now=now,
    )
