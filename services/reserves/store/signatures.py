"""SQL of signing business dates off."""

from datetime import date, datetime
from typing import Final
from uuid import UUID

from fleet.database import Tx

_LOCK: Final = "SELECT frozen_until FROM school FOR UPDATE"


async def lock_frozen(tx: Tx) -> date | None:
    """The last date that is signed off; nobody signs another one or keeps a line before this ends."""
    frozen: date | None = (await tx.one(_LOCK)).frozen_until
    return frozen


_FROZEN: Final = "SELECT frozen_until FROM school"


async def frozen_until(tx: Tx) -> date | None:
    """The last date that is signed off."""
    frozen: date | None = (await tx.one(_FROZEN)).frozen_until
    return frozen


# The hash is of the date's rows as they are kept.
_SIGN: Final = """
    INSERT INTO signature (business_date, decision_id, signed_by, why, signed_at, content_hash)
    VALUES (:day, :decision_id, :who, :why, :now, sha256(convert_to(coalesce((
        SELECT jsonb_agg(to_jsonb(day) - 'completed_at' ORDER BY currency) FROM day WHERE business_date =
               :day),
        '[]')::text, 'UTF8')))
    RETURNING encode(content_hash, 'hex') AS content_hash
"""
_FREEZE: Final = "UPDATE school SET frozen_until = :day"


async def sign(tx: Tx, day: date, *, decision_id: UUID, who: str, why: str, now: datetime) -> str:
    """Sign a date off and freeze it with all before it; the hash of what was signed."""
    row = await tx.one(_SIGN, day=day, decision_id=decision_id, who=who, why=why, now=now)
    await tx.execute(_FREEZE, day=day)
    content_hash: str = row.content_hash
    return content_hash
