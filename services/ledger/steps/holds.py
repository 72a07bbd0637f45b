"""Holds and limits: commands judged by themselves here, and under the wallet's lock in the database.

Promises: an answer for each command, in order; a refused one changes nothing and stops no other. The rules
that need a balance live in the database's functions, which DBAs call too: one place, one sentence.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

from fleet.database import Tx
from services.ledger import store
from services.ledger.domain.journals import BalanceKey, unusable_wallet

Action = Literal["place", "post", "void"]
HoldState = Literal["open", "posted", "voided", "expired"]

EXPIRE_AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldCommand:
    """What somebody wants done with a hold. place: all but `to_wallet`; post: `to_wallet`, perhaps a part."""

    action: Action
    hold: str
    wallet: str | None = None
    currency: str | None = None
    amount: int | None = None
    expires_at: datetime | None = None
    to_wallet: str | None = None
    occurred_at: datetime | None = None
    memo: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitCommand:
    """How far down a wallet may go from now on; no floor: as far as it likes."""

    wallet: str
    currency: str
    floor: int | None
    binds: Literal["holds", "all"]


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldNow:
    """A hold as it is, with its wallet's balances. Minor units; available = posted - pending."""

    hold: str
    state: HoldState
    wallet: str
    currency: str
    amount: int
    expires_at: datetime
    changed_at: datetime
    posted_balance: int
    pending_balance: int
    available_balance: int
    posted_amount: int | None = None
    journal_id: UUID | None = None
    repeated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitNow:
    """A wallet's limit as it stands, and what is available now."""

    wallet: str
    currency: str
    floor: int | None
    binds: Literal["holds", "all"] | None
    available_balance: int
    repeated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class NotDone:
    """The command may not stand; the sentence says why, `shortfall` how many minor units are missing."""

    reason: str
    sentence: str
    shortfall: int | None = None


async def change(tx: Tx, commands: Sequence[HoldCommand]) -> list[HoldNow | NotDone]:
    """Do what may be done, in order, with every wallet of the batch locked first, in wallet order."""
    faults = [_fault(command) for command in commands]
    sound = [command for command, fault in zip(commands, faults, strict=True) if fault is None]
    await store.journals.lock_balances(tx, sorted(await _balances(tx, sound)))
    return [fault or await _change(tx, command) for command, fault in zip(commands, faults, strict=True)]


async def limit(tx: Tx, commands: Sequence[LimitCommand]) -> list[LimitNow | NotDone]:
    """Set each limit, in order."""
    faults = [_wallet_fault(f"limit on {one.wallet}", one.wallet, one.currency) for one in commands]
    keys = {(one.wallet, one.currency) for one, bad in zip(commands, faults, strict=True) if bad is None}
    await store.journals.lock_balances(tx, sorted(keys))
    return [bad or await _limit(tx, one) for one, bad in zip(commands, faults, strict=True)]


async def expire(tx: Tx) -> list[HoldNow]:
    """Close the holds whose time is over, at most EXPIRE_AT_ONCE."""
    rows = await tx.all("SELECT hold FROM expire_holds(:most) AS hold", most=EXPIRE_AT_ONCE)
    return [await _hold_now(tx, row.hold, repeated=False) for row in rows]


def journals_of(answers: Sequence[HoldNow | NotDone]) -> list[UUID]:
    """The journals that these answers posted."""
    return [one.journal_id for one in answers if isinstance(one, HoldNow) and one.journal_id is not None]


def _fault(command: HoldCommand) -> NotDone | None:
    wallet = command.wallet if command.action == "place" else command.to_wallet
    if wallet is None:
        return None
    return _wallet_fault(f"hold {command.hold}", wallet, command.currency)


def _wallet_fault(what: str, wallet: str, currency: str | None) -> NotDone | None:
    found = unusable_wallet(wallet, currency)
    return found and NotDone(reason=found[0], sentence=f"{what}: {found[1]}")


async def _balances(tx: Tx, commands: Sequence[HoldCommand]) -> set[BalanceKey]:
    """The balances that these commands move. A hold never changes its wallet, so this needs no lock."""
    placed = {one.hold: (one.wallet, one.currency) for one in commands if one.action == "place"}
    others = [one for one in commands if one.action != "place"]
    rows = await tx.all(_WALLETS_OF, holds=[one.hold for one in others])
    known = {row.hold: (row.address, row.currency) for row in rows}
    keys = set(placed.values())
    for one in others:
        if there := known.get(one.hold) or placed.get(one.hold):
            keys |= {there, (one.to_wallet or there[0], there[1])}
    return {(wallet, currency) for wallet, currency in keys if wallet and currency}


_WALLETS_OF = """
    SELECT hold, address, currency FROM ledger_public.holds WHERE hold = ANY (CAST(:holds AS text[]))
"""
_PLACE = """
    SELECT place_hold(:hold, :wallet, :amount, :currency, CAST(:expires_at AS timestamptz), :memo) AS done
"""
_POST = """
    WITH before AS (SELECT state FROM hold WHERE name = :hold)
    SELECT (SELECT state = 'open' FROM before) AS done,
           post_hold(:hold, :to_wallet, CAST(:amount AS bigint), CAST(:occurred_at AS timestamptz), :memo)
"""
_VOID = "SELECT void_hold(:hold) AS done"


async def _change(tx: Tx, command: HoldCommand) -> HoldNow | NotDone:
    try:
        async with store.journals.all_or_rejected(tx):
            row = await _do(tx, command)
    except store.journals.Rejected as rejected:
        return NotDone(reason=rejected.rule, sentence=rejected.sentence, shortfall=rejected.shortfall)
    return await _hold_now(tx, command.hold, repeated=not row)


async def _do(tx: Tx, command: HoldCommand) -> bool:
    """Run one command; whether it changed something."""
    match command.action:
        case "place":
            row = await tx.one(
                _PLACE,
                hold=command.hold,
                wallet=command.wallet,
                amount=command.amount,
                currency=command.currency,
                expires_at=command.expires_at,
                memo=command.memo,
            )
        case "post":
            row = await tx.one(
                _POST,
                hold=command.hold,
                to_wallet=command.to_wallet,
                amount=command.amount,
                occurred_at=command.occurred_at,
                memo=command.memo,
            )
        case "void":
            row = await tx.one(_VOID, hold=command.hold)
    return bool(row.done)


_HOLD_NOW = """
    SELECT held.hold, held.state, held.address AS wallet, held.currency, held.amount, held.expires_at,
           coalesce(held.closed_at, held.placed_at) AS changed_at, held.posted_amount, held.journal_id,
           wallet.balance AS posted_balance, wallet.pending AS pending_balance,
           wallet.available AS available_balance
    FROM ledger_public.holds AS held
    JOIN ledger_public.wallets AS wallet
      ON wallet.wallet_id = held.wallet_id AND wallet.currency = held.currency
    WHERE held.hold = :hold
"""


async def _hold_now(tx: Tx, hold: str, *, repeated: bool) -> HoldNow:
    row = await tx.one(_HOLD_NOW, hold=hold)
    return HoldNow(**row._mapping, repeated=repeated)


_LIMIT = """
    SELECT set_limit(:wallet, :currency, CAST(:floor AS bigint), :binds) AS done
"""
_LIMIT_NOW = """
    SELECT address AS wallet, currency, "limit" AS floor, limit_binds AS binds, available AS available_balance
    FROM ledger_public.wallets WHERE address = :wallet AND currency = :currency
"""


async def _limit(tx: Tx, command: LimitCommand) -> LimitNow | NotDone:
    try:
        async with store.journals.all_or_rejected(tx):
            done = await tx.one(
                _LIMIT,
                wallet=command.wallet,
                currency=command.currency,
                floor=command.floor,
                binds=command.binds,
            )
    except store.journals.Rejected as rejected:
        return NotDone(reason=rejected.rule, sentence=rejected.sentence)
    row = await tx.one(_LIMIT_NOW, wallet=command.wallet, currency=command.currency)
    return LimitNow(**row._mapping, repeated=not done.done)
