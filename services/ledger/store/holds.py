"""Holds and limits: the database's functions that change them, and how they are afterwards."""

from collections.abc import Sequence
from typing import Final

from fleet.database import Tx
from services.ledger.domain.holds import HoldCommand, HoldNow, LimitCommand, LimitNow
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
    """Place a hold; false: it is placed so already."""
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


_POST: Final = """
    WITH before AS (SELECT state FROM hold WHERE name = :hold)
    SELECT (SELECT state = 'open' FROM before) AS done,
           post_hold(:hold, :to_wallet, CAST(:amount AS bigint), CAST(:occurred_at AS timestamptz), :memo)
"""


async def post(tx: Tx, command: HoldCommand) -> bool:
    """Move a hold's amount, or a part of it, to another wallet; false: it is posted so already."""
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
    """Make a hold's amount available again; false: it is voided already."""
    row = await tx.one(_VOID, hold=command.hold)
    return bool(row.done)


_EXPIRE: Final = "SELECT hold FROM expire_holds(:most) AS hold"


async def expire(tx: Tx) -> list[str]:
    """Close the holds whose time is over, at most EXPIRE_AT_ONCE; their names."""
    rows = await tx.all(_EXPIRE, most=EXPIRE_AT_ONCE)
    return [row.hold for row in rows]


_HOLD_NOW: Final = """
    SELECT held.hold, held.state, held.address AS wallet, held.currency, held.amount, held.expires_at,
           coalesce(held.closed_at, held.placed_at) AS changed_at, held.posted_amount, held.journal_id,
           wallet.balance AS posted_balance, wallet.pending AS pending_balance,
           wallet.available AS available_balance
    FROM ledger_public.holds AS held
    JOIN ledger_public.wallets AS wallet
      ON wallet.wallet_id = held.wallet_id AND wallet.currency = held.currency
    WHERE held.hold = :hold
"""


async def hold_now(tx: Tx, hold: str, *, repeated: bool) -> HoldNow:
    """A hold as it is, with its wallet's balances."""
    row = await tx.one(_HOLD_NOW, hold=hold)
    return HoldNow(**row._mapping, repeated=repeated)


_SET_LIMIT: Final = "SELECT set_limit(:wallet, :currency, CAST(:floor AS bigint), :binds) AS done"


async def set_limit(tx: Tx, command: LimitCommand) -> bool:
    """Set or lift a limit; false: it is set so already."""
    row = await tx.one(
        _SET_LIMIT,
        wallet=command.wallet,
        currency=command.currency,
        floor=command.floor,
        binds=command.binds,
    )
    return bool(row.done)


_LIMIT_NOW: Final = """
    SELECT address AS wallet, currency, "limit" AS floor, limit_binds AS binds, available AS available_balance
    FROM ledger_public.wallets WHERE address = :wallet AND currency = :currency
"""


async def limit_now(tx: Tx, command: LimitCommand, *, repeated: bool) -> LimitNow:
    """The limit of a command's wallet as it is, and what is available."""
    row = await tx.one(_LIMIT_NOW, wallet=command.wallet, currency=command.currency)
    return LimitNow(**row._mapping, repeated=repeated)
