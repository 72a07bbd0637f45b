"""Holds and limits: the calls of the database's functions that change them, and their state afterwards."""

from collections.abc import Collection, Sequence
from typing import Final

from fleet.database import Tx
from services.ledger.domain.holds import HoldChange, HoldCommand, LimitChange, LimitCommand
from services.ledger.domain.wallets import BalanceKey

EXPIRE_AT_ONCE: Final = 500

_PLACED_ON: Final = """
    SELECT hold, address, currency FROM ledger_public.holds WHERE hold = ANY (CAST(:holds AS text[]))
"""


async def placed_on(tx: Tx, holds: Sequence[str]) -> dict[str, BalanceKey]:
    """The balance of each hold that is placed, by the hold's name; it never changes: this needs no lock."""
    rows = await tx.all(_PLACED_ON, holds=list(holds))
    return {row.hold: (row.address, row.currency) for row in rows}


_PLACE: Final = """
    SELECT place_hold(:hold, :wallet, :amount, :currency, CAST(:expires_at AS timestamptz), :memo) AS done
"""


async def place(tx: Tx, command: HoldCommand) -> bool:
    """Place a hold; false: it is placed already, with the same content."""
    row = await tx.one(
        _PLACE,
        hold=command.hold,
        wallet=command.wallet,
        amount=command.amount,
        currency=command.currency,
        expires_at=command.expires_at,
        memo=command.memo,
    )
    return bool(row.done)


_PLACE_ALL: Final = """
    SELECT hold, repeated FROM place_holds(
        CAST(:holds AS text[]), CAST(:wallets AS text[]), CAST(:amounts AS bigint[]),
        CAST(:currencies AS text[]), CAST(:ends AS timestamptz[]), CAST(:memos AS text[]))
"""


async def place_all(tx: Tx, commands: Sequence[HoldCommand]) -> dict[str, bool]:
    """Place holds in their order, all or none; by name, whether it was placed before."""
    rows = await tx.all(
        _PLACE_ALL,
        holds=[one.hold for one in commands],
        wallets=[one.wallet for one in commands],
        amounts=[one.amount for one in commands],
        currencies=[one.currency for one in commands],
        ends=[one.expires_at for one in commands],
        memos=[one.memo for one in commands],
    )
    return {row.hold: bool(row.repeated) for row in rows}


_AVAILABLE: Final = """
    SELECT asked.address, asked.currency, balance.amount - balance.pending AS available
    FROM unnest(CAST(:addresses AS text[]), CAST(:currencies AS text[])) AS asked (address, currency)
    JOIN wallet ON wallet.address = asked.address COLLATE "C"
    JOIN balance ON balance.wallet_id = wallet.id AND balance.currency = asked.currency COLLATE "C"
"""


async def available(tx: Tx, keys: Collection[BalanceKey]) -> dict[BalanceKey, int]:
    """What is available on wallets on which holds are to be placed; their balances are locked."""
    addressed = list(keys)
    rows = await tx.all(
        _AVAILABLE,
        addresses=[address for address, _ in addressed],
        currencies=[currency for _, currency in addressed],
    )
    return {(row.address, row.currency): int(row.available) for row in rows}


_POST: Final = """
    WITH before AS (SELECT state FROM hold WHERE name = :hold)
    SELECT (SELECT state = 'open' FROM before) AS done,
           post_hold(:hold, :to_wallet, CAST(:amount AS bigint), CAST(:occurred_at AS timestamptz), :memo)
"""


async def post(tx: Tx, command: HoldCommand) -> bool:
    """Post a hold, or a part of it, to another wallet; false: it is posted already, with the same content."""
    row = await tx.one(
        _POST,
        hold=command.hold,
        to_wallet=command.to_wallet,
        amount=command.amount,
        occurred_at=command.occurred_at,
        memo=command.memo,
    )
    return bool(row.done)


_VOID: Final = "SELECT void_hold(:hold) AS done"


async def void(tx: Tx, command: HoldCommand) -> bool:
    """Void a hold; false: it is voided already."""
    row = await tx.one(_VOID, hold=command.hold)
    return bool(row.done)


_EXPIRE: Final = "SELECT hold FROM expire_holds(:most) AS hold"


async def expire(tx: Tx) -> list[str]:
    """Close holds that have expired, at most EXPIRE_AT_ONCE; returns their names."""
    rows = await tx.all(_EXPIRE, most=EXPIRE_AT_ONCE)
    return [row.hold for row in rows]


_READ_HOLDS: Final = """
    SELECT held.hold, held.state, held.address AS wallet, held.currency, held.amount, held.expires_at,
           coalesce(held.closed_at, held.placed_at) AS changed_at, held.posted_amount, held.journal_id,
           wallet.balance AS posted_balance, wallet.pending AS pending_balance,
           wallet.available AS available_balance
    FROM ledger_public.holds AS held
    JOIN ledger_public.wallets AS wallet
      ON wallet.wallet_id = held.wallet_id AND wallet.currency = held.currency
    WHERE held.hold = ANY (CAST(:holds AS text[]))
"""


async def read_hold(tx: Tx, hold: str, *, repeated: bool) -> HoldChange:
    """A hold with its wallet's balances. Minor units."""
    row = await tx.one(_READ_HOLDS, holds=[hold])
    return HoldChange(**row._mapping, repeated=repeated)


async def read_holds(tx: Tx, holds: Sequence[str]) -> dict[str, HoldChange]:
    """Holds with their wallets' balances, by name. Minor units."""
    rows = await tx.all(_READ_HOLDS, holds=list(holds))
    return {row.hold: HoldChange(**row._mapping) for row in rows}


_SET_LIMIT: Final = "SELECT set_limit(:wallet, :currency, CAST(:floor AS bigint), :binds) AS done"


async def set_limit(tx: Tx, command: LimitCommand) -> bool:
    """Set or remove a limit; false: nothing changed."""
    row = await tx.one(
        _SET_LIMIT,
        wallet=command.wallet,
        currency=command.currency,
        floor=command.floor,
        binds=command.binds,
    )
    return bool(row.done)


_READ_LIMIT: Final = """
    SELECT address AS wallet, currency, "limit" AS floor, limit_binds AS binds, available AS available_balance
    FROM ledger_public.wallets WHERE address = :wallet AND currency = :currency
"""


async def read_limit(tx: Tx, wallet: str, currency: str, *, repeated: bool) -> LimitChange:
    """The limit and the available balance of a wallet that is open. Minor units."""
    row = await tx.one(_READ_LIMIT, wallet=wallet, currency=currency)
    return LimitChange(**row._mapping, repeated=repeated)
