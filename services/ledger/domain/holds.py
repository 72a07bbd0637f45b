"""Commands to holds and limits: what they must keep by themselves, and which balances they move.

The rules that need a balance are in the database's functions, which DBAs call too.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from fleet.money import format_minor
from services.ledger.domain.wallets import BalanceKey, unusable_wallet

Action = Literal["place", "post", "void"]
HoldState = Literal["open", "posted", "voided", "expired"]


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldCommand:
    """A command to place, post or void a hold. Amounts are minor units.

    place: every field but `to_wallet`. post: `to_wallet`, and `amount` to post a part of the hold.
    floor: what placing it may not take the available balance below. replaces: the hold it takes the place of.
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
    floor: int | None = None
    replaces: str | None = None


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

    repeated: the command changed nothing, since the hold was in this state already. replaced: the hold that
    was voided for it.
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
    replaced: "HoldChange | None" = None


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


def below_floor(command: HoldCommand, available: int) -> RefusedCommand | None:
    """Refuse a hold that would take its wallet's available balance below the command's floor."""
    if command.floor is None or command.amount is None or available - command.amount >= command.floor:
        return None
    shortfall = command.floor - (available - command.amount)
    asked = f"hold {command.hold} takes {command.amount} {command.currency} from {command.wallet}"
    return RefusedCommand(
        reason="limit_exceeded",
        sentence=f"{asked}, which has {available} available and may not go below {command.floor} by it: "
        f"short by {shortfall}",
        shortfall=shortfall,
    )


def only_takes(command: HoldCommand) -> bool:
    """Whether it places a hold and gives nothing back: of such, each leaves less than the one before."""
    return command.action == "place" and command.replaces is None


def judged_by_floors(
    commands: Sequence[HoldCommand], available: Mapping[BalanceKey, int]
) -> dict[str, RefusedCommand]:
    """Which of new holds their floors refuse, in order, by what is available before the first of them."""
    left, refused = dict(available), dict[str, RefusedCommand]()
    for one in commands:
        key = balance_of(one)
        if fault := below_floor(one, left.get(key, 0)):
            refused[one.hold] = fault
        else:
            left[key] = left.get(key, 0) - (one.amount or 0)
    return refused


def balances_after_each(changes: Sequence[HoldChange]) -> list[HoldChange]:
    """Holds that were placed in this order, each with the balances as it left them; given the last ones."""
    later: dict[BalanceKey, int] = {}
    found: list[HoldChange] = []
    for one in reversed(changes):
        key = one.wallet, one.currency
        after = later.get(key, 0)
        found.append(
            replace(
                one,
                pending_balance=one.pending_balance - after,
                available_balance=one.available_balance + after,
            )
        )
        later[key] = after + (0 if one.repeated else one.amount)
    return found[::-1]


def balance_of(command: HoldCommand) -> BalanceKey:
    """The balance on which a hold is to be placed."""
    return command.wallet or "", command.currency or ""


def balances_moved(commands: Sequence[HoldCommand], placed_on: Mapping[str, BalanceKey]) -> list[BalanceKey]:
    """The balances that these commands move, sorted.

    placed_on: the balance of each hold that is placed already, by the hold's name.
    """
    placed_here = {one.hold: (one.wallet, one.currency) for one in commands if one.action == "place"}
    keys = set(placed_here.values())
    keys |= {placed_on[one.replaces] for one in commands if one.replaces and one.replaces in placed_on}
    for one in commands:
        if one.action == "place":
            continue
        if there := placed_on.get(one.hold) or placed_here.get(one.hold):
            keys |= {there, (one.to_wallet or there[0], there[1])}
    return sorted((wallet, currency) for wallet, currency in keys if wallet and currency)


def journal_ids(replies: Sequence[HoldChange | RefusedCommand]) -> list[UUID]:
    """The ids of the journals that posted these holds."""
    return [one.journal_id for one in replies if isinstance(one, HoldChange) and one.journal_id is not None]


def hold_sentence(change: HoldChange, to_wallet: str | None) -> str:
    """What a command did to a hold, for people; a repeated command did nothing."""
    if change.repeated:
        return f"hold {change.hold} is {change.state} so already; nothing changes"
    kept = _money(change.amount, change.currency)
    if change.state == "open":
        until = change.expires_at.isoformat()
        return f"hold {change.hold} keeps {kept} on {change.wallet} until {until}" + _left(change)
    if change.state == "posted" and change.posted_amount is not None:
        moved = _money(change.posted_amount, change.currency)
        whole = "" if change.posted_amount == change.amount else f" of {kept}; the rest is available again"
        return f"hold {change.hold} is posted: {moved} from {change.wallet} to {to_wallet}{whole}"
    return f"hold {change.hold} is voided: {kept} on {change.wallet} are available again" + _left(change)


def hold_effects(change: HoldChange, to_wallet: str | None) -> list[dict[str, Any]]:
    """What a command to a hold changes on each wallet, in minor units: `amount`, and what is `pending`."""
    if change.repeated:
        return []
    own = {"wallet": change.wallet, "currency": change.currency}
    if change.posted_amount is None:
        pending = change.amount if change.state == "open" else -change.amount
        return [{**own, "amount": 0, "pending": pending, "available_after": change.available_balance}]
    moved = {"amount": -change.posted_amount, "pending": -change.amount}
    to = {"wallet": to_wallet, "currency": change.currency, "amount": change.posted_amount, "pending": 0}
    return [{**own, **moved, "available_after": change.available_balance}, {**to, "available_after": None}]


def limit_sentence(change: LimitChange) -> str:
    """What a command did to a limit, for people."""
    if change.repeated:
        return f"the limit of {change.wallet} is set so already; nothing changes"
    if change.floor is None:
        return f"{change.wallet} has no limit in {change.currency}"
    what = "new holds" if change.binds == "holds" else "new holds and journals"
    beyond = (
        "; it is below that now, so nothing more can be taken"
        if change.available_balance < change.floor
        else ""
    )
    return (
        f"{what} may not take the available balance of {change.wallet} below "
        f"{_money(change.floor, change.currency)}{beyond}"
    )


def limit_effects(change: LimitChange) -> list[dict[str, Any]]:
    """A wallet's limit after a command, in minor units."""
    names = ("wallet", "currency", "floor", "binds", "available_balance")
    shown = {name: getattr(change, name) for name in names}
    return [] if change.repeated else [{("limit" if n == "floor" else n): v for n, v in shown.items()}]


def opening_sentence(new: Sequence[BalanceKey]) -> str:
    """That wallets are opened by what was done: perhaps a name was misspelt."""
    return "".join(f"; opens the wallet {wallet} in {currency}, which is new" for wallet, currency in new)


def _left(change: HoldChange) -> str:
    return f", which leaves {_money(change.available_balance, change.currency)} available"


def _money(amount: int, currency: str) -> str:
    return f"{format_minor(amount, currency)} {currency}"


def _wallet_fault(what: str, wallet: str, currency: str | None) -> RefusedCommand | None:
    found = unusable_wallet(wallet, currency)
    return found and RefusedCommand(reason=found[0], sentence=f"{what}: {found[1]}")
