"""Commands to holds and limits: what they must keep by themselves, and which balances they move.

The rules that need a balance are in the database's functions, which DBAs call too.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from services.ledger.domain.wallets import BalanceKey, unusable_wallet

Action = Literal["place", "post", "void"]
HoldState = Literal["open", "posted", "voided", "expired"]


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldCommand:
    """A command to place, post or void a hold. Amounts are minor units.

    place: every field but `to_wallet`. post: `to_wallet`, and `amount` to post a part of the hold.
    """

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
    """A command to set what a wallet's available balance may not go below, in minor units; None: no limit."""

    wallet: str
    currency: str
    floor: int | None
    binds: Literal["holds", "all"]


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldChange:
    """A hold after a command, with its wallet's balances. Minor units; available = posted - pending.

    repeated: the command changed nothing, since the hold was in this state already.
    """

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
class LimitChange:
    """A wallet's limit after a command, and its available balance. Minor units."""

    wallet: str
    currency: str
    floor: int | None
    binds: Literal["holds", "all"] | None
    available_balance: int
    repeated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedCommand:
    """A refused command; `sentence` says why. shortfall: missing minor units, if a limit is the reason."""

    reason: str
    sentence: str
    shortfall: int | None = None


def hold_fault(command: HoldCommand) -> RefusedCommand | None:
    """Check a command to a hold by itself, before a wallet is opened for it. None: nothing is wrong."""
    wallet = command.wallet if command.action == "place" else command.to_wallet
    if wallet is None:
        return None
    return _wallet_fault(f"hold {command.hold}", wallet, command.currency)


def limit_fault(command: LimitCommand) -> RefusedCommand | None:
    """Check a limit by itself, before a wallet is opened for it. None: nothing is wrong."""
    return _wallet_fault(f"limit on {command.wallet}", command.wallet, command.currency)


def balances_moved(commands: Sequence[HoldCommand], placed_on: Mapping[str, BalanceKey]) -> list[BalanceKey]:
    """The balances that these commands move, sorted.

    placed_on: the balance of each hold that is placed already, by the hold's name.
    """
    placed_here = {one.hold: (one.wallet, one.currency) for one in commands if one.action == "place"}
    keys = set(placed_here.values())
    for one in commands:
        if one.action == "place":
            continue
        if there := placed_on.get(one.hold) or placed_here.get(one.hold):
            keys |= {there, (one.to_wallet or there[0], there[1])}
    return sorted((wallet, currency) for wallet, currency in keys if wallet and currency)


def journal_ids(replies: Sequence[HoldChange | RefusedCommand]) -> list[UUID]:
    """The ids of the journals that posted these holds."""
    return [one.journal_id for one in replies if isinstance(one, HoldChange) and one.journal_id is not None]


def _wallet_fault(what: str, wallet: str, currency: str | None) -> RefusedCommand | None:
    found = unusable_wallet(wallet, currency)
    return found and RefusedCommand(reason=found[0], sentence=f"{what}: {found[1]}")
