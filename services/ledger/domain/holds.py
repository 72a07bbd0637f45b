"""Holds and limits: what may be asked of them, what a command by itself may not say, and what it moves.

The rules that need a balance live in the database's functions, which DBAs call too: one place, one sentence.
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


def hold_fault(command: HoldCommand) -> NotDone | None:
    """What is wrong with a command to a hold by itself, before a wallet is opened for it."""
    wallet = command.wallet if command.action == "place" else command.to_wallet
    if wallet is None:
        return None
    return _wallet_fault(f"hold {command.hold}", wallet, command.currency)


def limit_fault(command: LimitCommand) -> NotDone | None:
    """What is wrong with a limit by itself, before a wallet is opened for it."""
    return _wallet_fault(f"limit on {command.wallet}", command.wallet, command.currency)


def balances_moved(commands: Sequence[HoldCommand], placed_on: Mapping[str, BalanceKey]) -> list[BalanceKey]:
    """The balances that these commands move, in the order in which they are locked.

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


def journals_of(answers: Sequence[HoldNow | NotDone]) -> list[UUID]:
    """The journals that these answers posted."""
    return [one.journal_id for one in answers if isinstance(one, HoldNow) and one.journal_id is not None]


def _wallet_fault(what: str, wallet: str, currency: str | None) -> NotDone | None:
    found = unusable_wallet(wallet, currency)
    return found and NotDone(reason=found[0], sentence=f"{what}: {found[1]}")
