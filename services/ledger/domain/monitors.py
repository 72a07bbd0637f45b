"""Monitors: thresholds on balances, and the crossings they published. Amounts are minor units.

The database compares balances with thresholds and publishes crossings (migration 0007), whichever way a
balance moves. It must not be done here too: a crossing would be published twice.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal
from uuid import UUID

from services.ledger.domain.holds import RefusedCommand
from services.ledger.domain.wallets import unusable_wallet

Watches = Literal["posted", "pending", "available"]
Comparison = Literal["below", "at_most", "above", "at_least"]


@dataclass(frozen=True, slots=True, kw_only=True)
class MonitorCommand:
    """A command to set a monitor. recovers_at: where the balance is back; None: at the threshold."""

    monitor: str
    wallet: str
    currency: str
    watches: Watches
    comparison: Comparison
    threshold: int
    recovers_at: int | None = None
    memo: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Monitor:
    """A monitor that is set. beyond: its balance is beyond the threshold. since: its last crossing."""

    monitor: str
    wallet: str
    currency: str
    watches: str
    comparison: str
    threshold: int
    recovers_at: int
    balance: int
    beyond: bool
    since: datetime | None
    crossings: int
    memo: str
    set_at: datetime
    set_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossing:
    """A crossing of a threshold: beyond it, or back. balance: right after what caused the crossing."""

    crossed_at: datetime
    monitor: str
    nr: int
    wallet: str
    currency: str
    watches: str
    comparison: str
    threshold: int
    recovers_at: int
    beyond: bool
    because: str
    balance: int
    version: int
    source: str | None
    journal_id: UUID | None
    hold: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MonitorChange:
    """A monitor after a command. repeated: the command changed nothing."""

    monitor: Monitor
    repeated: bool


def with_what_stands(
    command: MonitorCommand, standing: Monitor | None, *, memo: str | None
) -> MonitorCommand:
    """The command, with what it does not say as the monitor has it: where it recovers, and its memo (None).

    A monitor that recovers at its threshold goes on doing so, wherever that is now.
    """
    if standing is None:
        return replace(command, memo=memo or "")
    apart = standing.recovers_at if standing.recovers_at != standing.threshold else None
    recovers_at = apart if command.recovers_at is None else command.recovers_at
    return replace(command, recovers_at=recovers_at, memo=standing.memo if memo is None else memo)


def monitor_fault(command: MonitorCommand) -> RefusedCommand | None:
    """Check a command by itself, before a wallet is opened for it. None: nothing is wrong."""
    if found := unusable_wallet(command.wallet, command.currency):
        return RefusedCommand(reason=found[0], sentence=f"monitor {command.monitor}: {found[1]}")
    back = command.threshold if command.recovers_at is None else command.recovers_at
    low = command.comparison in ("below", "at_most")
    if back < command.threshold if low else back > command.threshold:
        return RefusedCommand(
            reason="monitor_recovers_on_the_near_side",
            sentence=f"monitor {command.monitor}: a balance cannot be back at {back} when it is beyond "
            f"{command.comparison.replace('_', ' ')} {command.threshold}; recovers_at lies on the other side",
        )
    return None
