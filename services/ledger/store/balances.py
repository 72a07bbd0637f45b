"""Wallets and their balances: opened, locked in wallet order, read. Minor units, credit positive."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Row

from fleet.database import Tx
from services.ledger.domain.wallets import Balance, BalanceKey, Limit


class BalanceMissing(Exception):
    """A balance that was to be locked does not exist; undo, and open it before any balance is locked."""


_LOCK: Final = """
    SELECT wallet_id, address, currency, amount, version, pending, floor
    FROM lock_balances(CAST(:addresses AS text[]), CAST(:currencies AS text[]))
"""


async def lock_open(tx: Tx, keys: Sequence[BalanceKey]) -> dict[BalanceKey, Balance]:
    """Lock balances in wallet order; returns them as locked. Raises BalanceMissing."""
    rows = await tx.all(_LOCK, **_addressed(keys))
    if len(rows) < len(keys):
        raise BalanceMissing
    return {(row.address, row.currency): _balance(row) for row in rows}


async def lock(tx: Tx, keys: Sequence[BalanceKey]) -> dict[BalanceKey, Balance]:
    """Lock balances in wallet order; returns them as locked. Wallets are opened on first use.

    New wallets are opened before any balance is locked, so that a transaction that waits for another one to
    open a wallet holds no lock which that one needs.
    """
    if missing := await _missing(tx, keys):
        await _open(tx, missing)
    return await lock_open(tx, keys)


_READ: Final = """
    SELECT balance.wallet_id, wallet.address, balance.currency, balance.amount, balance.version,
           balance.pending, CASE WHEN balance.floor_binds = 'all' THEN balance.floor END AS floor
    FROM unnest(CAST(:addresses AS text[]), CAST(:currencies AS text[])) AS asked (address, currency)
    JOIN wallet ON wallet.address = asked.address COLLATE "C"
    JOIN balance ON balance.wallet_id = wallet.id AND balance.currency = asked.currency COLLATE "C"
"""


async def read(tx: Tx, keys: Sequence[BalanceKey]) -> dict[BalanceKey, Balance]:
    """Read balances without a lock: for previews, never to post. Wallets that are not open are left out."""
    rows = await tx.all(_READ, **_addressed(keys))
    return {(row.address, row.currency): _balance(row) for row in rows}


_MISSING: Final = """
    SELECT asked.address, asked.currency
    FROM unnest(CAST(:addresses AS text[]), CAST(:currencies AS text[])) AS asked (address, currency)
    LEFT JOIN wallet ON wallet.address = asked.address COLLATE "C"
    LEFT JOIN balance ON balance.wallet_id = wallet.id AND balance.currency = asked.currency COLLATE "C"
    WHERE balance.wallet_id IS NULL
"""


async def _missing(tx: Tx, keys: Sequence[BalanceKey]) -> list[BalanceKey]:
    return [(row.address, row.currency) for row in await tx.all(_MISSING, **_addressed(keys))]


_OPEN: Final = "SELECT open_balances(CAST(:addresses AS text[]), CAST(:currencies AS text[]))"


async def _open(tx: Tx, keys: Sequence[BalanceKey]) -> None:
    await tx.execute(_OPEN, **_addressed(keys))


def _balance(row: Row[Any]) -> Balance:
    return Balance(
        wallet_id=row.wallet_id,
        amount=row.amount,
        version=row.version,
        limit=None if row.floor is None else Limit(floor=row.floor, pending=row.pending),
    )


def _addressed(keys: Sequence[BalanceKey]) -> dict[str, list[str]]:
    return {"addresses": [address for address, _ in keys], "currencies": [currency for _, currency in keys]}
