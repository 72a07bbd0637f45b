"""SQL of listing Stripe's rows again from a date."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from fleet.database import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class Backfill:
    """Listing again from `since`, newest first, after row `page_after`; until `opened_after` is of before."""

    id: UUID
    since: datetime
    page_after: str | None
    opened_after: datetime


_UNDER_WAY: Final = """
    SELECT id, since, backfill.page_after, opened_after
    FROM movement_backfill AS backfill CROSS JOIN movement_listing
    WHERE ended_at IS NULL AND opened_at IS NOT NULL
"""


async def under_way(tx: Tx) -> Backfill | None:
    """The backfill that goes on; none before the opening was read."""
    row = await tx.first(_UNDER_WAY)
    return None if row is None else Backfill(**row._mapping)


_BEGIN: Final = """
    INSERT INTO movement_backfill (id, since, asked_by, asked_at) VALUES (:id, :since, :who, :now)
    ON CONFLICT DO NOTHING RETURNING id
"""


async def begin(tx: Tx, backfill_id: UUID, since: datetime, who: str, now: datetime) -> bool:
    """Begin to list again from a date; False while another backfill goes on."""
    return await tx.first(_BEGIN, id=backfill_id, since=since, who=who, now=now) is not None


_TURN: Final = """
    UPDATE movement_backfill SET page_after = :after, pages = pages + 1
    WHERE id = :id AND ended_at IS NULL AND page_after IS NOT DISTINCT FROM :was RETURNING id
"""


async def turn_page(tx: Tx, backfill: Backfill, after: str | None) -> bool:
    """Move the place past a page; False when another process did: then write nothing."""
    return await tx.first(_TURN, id=backfill.id, was=backfill.page_after, after=after) is not None


_ADD: Final = "UPDATE movement_backfill SET found = found + :found WHERE id = :id"
_END: Final = "UPDATE movement_backfill SET ended_at = :now WHERE id = :id AND ended_at IS NULL"


async def add_found(tx: Tx, backfill: Backfill, found: int) -> None:
    await tx.execute(_ADD, id=backfill.id, found=found)


async def end(tx: Tx, backfill: Backfill, now: datetime) -> None:
    """Note that all rows since the date were listed."""
    await tx.execute(_END, id=backfill.id, now=now)
