"""Holds, open and closed. Amounts are minor units."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from fleet.database import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """A hold on a wallet, and how it was closed. Minor units."""

    hold: str
    wallet: str
    currency: str
    amount: int
    state: str
    placed_at: datetime
    expires_at: datetime
    closed_at: datetime | None
    posted_amount: int | None
    journal_id: UUID | None
    memo: str


_HOLDS: Final = """
    SELECT hold, address AS wallet, currency, amount, state, placed_at, expires_at, closed_at,
           posted_amount, journal_id, memo
    FROM ledger_public.holds
    WHERE (CAST(:wallet AS text) IS NULL OR address = :wallet)
      AND (CAST(:state AS text) IS NULL OR state = :state)
      AND (CAST(:hold AS text) IS NULL OR hold = :hold)
    ORDER BY hold_id DESC LIMIT :most OFFSET :skip
"""


async def list_holds(
    tx: Tx,
    *,
    wallet: str | None = None,
    state: str | None = "open",
    hold: str | None = None,
    most: int = 100,
    skip: int = 0,
) -> list[Hold]:
    """The `most` newest holds but for `skip`, of one wallet or all, in one state or any (None); newest first.

    hold: only the one of this name.
    """
    rows = await tx.all(_HOLDS, wallet=wallet, state=state, hold=hold, most=most, skip=skip)
    return [Hold(**row._mapping) for row in rows]
