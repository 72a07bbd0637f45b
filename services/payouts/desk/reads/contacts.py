"""What people at the command line may see of people: read as hobbs_operator, from published views."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from fleet.database import Tx

_EVERY = "SELECT wallet, full_name, email, erased_at FROM payouts_public.contacts ORDER BY wallet"
_OF = """
    SELECT wallet, full_name, email, stated_at, erased_at FROM payouts_public.contacts
    WHERE wallet = ANY (CAST(:wallets AS text[])) ORDER BY wallet
"""
_ERASURES = """
    SELECT wallet, erased_at, who, why, decision_id, stated_anew FROM payouts_public.erasures
    WHERE CAST(:wallet AS text) IS NULL OR wallet = :wallet
    ORDER BY erased_at, wallet
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasure:
    """Who was erased, by id. `stated_anew`: the book's operator stated the person again, on purpose."""

    wallet: str
    erased_at: datetime
    who: str
    why: str
    decision_id: UUID
    stated_anew: bool


async def every(tx: Tx) -> Sequence[Row[Any]]:
    """Wallet, full_name, email and erased_at of everybody of whom something is or was kept."""
    return await tx.all(_EVERY)


async def of(tx: Tx, wallets: Sequence[str]) -> Sequence[Row[Any]]:
    """The same of some, with stated_at."""
    return await tx.all(_OF, wallets=list(wallets))


async def erasures(tx: Tx, wallet: str | None = None) -> list[Erasure]:
    """Who was erased and when, oldest first."""
    return [Erasure(**row._mapping) for row in await tx.all(_ERASURES, wallet=wallet)]
