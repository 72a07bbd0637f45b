"""Balances of wallets, now and at an instant. Amounts are minor units."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from fleet.database import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class WalletBalance:
    """What the school owes a wallet's holder; negative: what the holder owes. Minor units.

    available = balance - pending. limit: what available may not go below; binds: new holds only, or all.
    """

    wallet: str
    kind: str
    currency: str
    balance: int
    pending: int
    available: int
    limit: int | None
    limit_binds: str | None
    entries: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BalanceAt:
    """A wallet's balance at an instant. Minor units."""

    wallet: str
    kind: str
    currency: str
    balance: int


OF_ALL: Final = """
    SELECT address AS wallet, kind, currency, balance, pending, available, "limit", limit_binds, entries
    FROM ledger_public.wallets
    WHERE (CAST(:kind AS text) IS NULL OR kind = :kind)
    ORDER BY address, currency
"""
# Not one statement with OF_ALL: its plan would read every wallet to find one.
OF_ONE: Final = """
    SELECT address AS wallet, kind, currency, balance, pending, available, "limit", limit_binds, entries
    FROM ledger_public.wallets
    WHERE address = :wallet AND (CAST(:kind AS text) IS NULL OR kind = :kind)
    ORDER BY currency
"""


async def list_balances(tx: Tx, *, wallet: str | None = None, kind: str | None = None) -> list[WalletBalance]:
    """The balances of every wallet, of one, or of a kind; sorted by wallet and currency."""
    if wallet is None:
        rows = await tx.all(OF_ALL, kind=kind)
    else:
        rows = await tx.all(OF_ONE, kind=kind, wallet=wallet)
    return [WalletBalance(**row._mapping) for row in rows]


AT_OF_ALL: Final = """
    SELECT address AS wallet, kind, currency,
           ledger_public.balance_at(address, currency, CAST(:occurred_by AS timestamptz),
               coalesce(CAST(:known_by AS timestamptz), CAST('infinity' AS timestamptz))) AS balance
    FROM ledger_public.wallets
    WHERE (CAST(:kind AS text) IS NULL OR kind = :kind)
    ORDER BY address, currency
"""
AT_OF_ONE: Final = """
    SELECT address AS wallet, kind, currency,
           ledger_public.balance_at(address, currency, CAST(:occurred_by AS timestamptz),
               coalesce(CAST(:known_by AS timestamptz), CAST('infinity' AS timestamptz))) AS balance
    FROM ledger_public.wallets
    WHERE address = :wallet AND (CAST(:kind AS text) IS NULL OR kind = :kind)
    ORDER BY currency
"""


async def balances_at(
    tx: Tx, *, wallet: str | None, kind: str | None, occurred_by: datetime, known_by: datetime | None
) -> list[BalanceAt]:
    """Balances after all that occurred by one instant, as known by another (None: as known now)."""
    instants = {"occurred_by": occurred_by, "known_by": known_by}
    if wallet is None:
        rows = await tx.all(AT_OF_ALL, kind=kind, **instants)
    else:
        rows = await tx.all(AT_OF_ONE, kind=kind, wallet=wallet, **instants)
    return [BalanceAt(**row._mapping) for row in rows]


_CURRENCIES_OF: Final = """
    SELECT address, currency FROM ledger_public.wallets WHERE address = ANY (CAST(:wallets AS text[]))
"""


async def currencies_of(tx: Tx, wallets: Sequence[str]) -> dict[str, set[str]]:
    """The currencies in which wallets are open; those that are not open are left out."""
    held: dict[str, set[str]] = {}
    for row in await tx.all(_CURRENCIES_OF, wallets=list(wallets)):
        held.setdefault(row.address, set()).add(row.currency)
    return held


_CURRENCIES: Final = "SELECT DISTINCT currency FROM ledger_public.wallets ORDER BY currency"


async def currencies(tx: Tx) -> list[str]:
    """Every currency that any wallet is open in."""
    return [row.currency for row in await tx.all(_CURRENCIES)]
