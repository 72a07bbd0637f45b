"""Monitors: what may be asked of one, how it stands, and what it told. Amounts are minor units.

Judging a balance and telling of it is the database's own (migration 0007), for every way a balance moves. It
must not be done here too: a monitor would then tell twice, or miss what somebody posted in SQL.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from services.ledger.domain.holds import NotDone
from services.ledger.domain.wallets import unusable_wallet

Watches = Literal["posted", "pending", "available"]
Comparison = Literal["below", "at_most", "above", "at_least"]


@dataclass(frozen=True, slots=True, kw_only=True)
class MonitorCommand:
    """What a monitor shall watch, and what of it shall be told. `recovers_at` None: at the threshold."""

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
    """A monitor that is set. Minor units; `since`: when it last crossed, which it did `crossings` times."""

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
    """What a monitor told: the balance right after what caused it. Minor units."""

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
class MonitorNow:
    """A monitor as it stands after a command. `repeated`: it stood so before."""

    monitor: Monitor
    repeated: bool


def monitor_fault(command: MonitorCommand) -> NotDone | None:
    """What is wrong with a command by itself, before a wallet is opened for it."""
    if found := unusable_wallet(command.wallet, command.currency):
        return NotDone(reason=found[0], sentence=f"monitor {command.monitor}: {found[1]}")
    back = command.threshold if command.recovers_at is None else command.recovers_at
    low = command.comparison in ("below", "at_most")
    if back < command.threshold if low else back > command.threshold:
        return NotDone(
            reason="monitor_recovers_on_the_near_side",
            sentence=f"monitor {command.monitor}: a balance cannot be back at {back} when it is beyond "
            f"{command.comparison.replace('_', ' ')} {command.threshold}; recovers_at lies on the other side",
        )
    return None
