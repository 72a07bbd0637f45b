"""Monitors, for people: what is set, what was told, and setting or removing one.

Judging and telling is the database's own (migration 0007), for every way a balance moves. It must not be done
here too: a monitor would then tell twice, or miss what somebody posted in SQL.
"""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

from fleet.database import Tx
from services.ledger import store
from services.ledger.domain.journals import unusable_wallet
from services.ledger.steps.holds import NotDone

Watches = Literal["posted", "pending", "available"]
Comparison = Literal["below", "at_most", "above", "at_least"]

CROSSINGS_MAX: Final = 10_000


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


_LIST: Final = """
    SELECT monitor, address AS wallet, currency, watches, comparison, threshold, recovers_at, balance, beyond,
           since, crossings, memo, set_at, set_by
    FROM ledger_public.monitors
    WHERE (CAST(:wallet AS text) IS NULL OR address = :wallet)
      AND (CAST(:monitor AS text) IS NULL OR monitor = :monitor)
      AND (beyond OR NOT CAST(:only_beyond AS boolean))
    ORDER BY monitor
"""


async def list_monitors(
    tx: Tx, *, monitor: str | None = None, wallet: str | None = None, only_beyond: bool = False
) -> list[Monitor]:
    """Monitors that are set, in the order of their names."""
    rows = await tx.all(_LIST, monitor=monitor, wallet=wallet, only_beyond=only_beyond)
    return [Monitor(**row._mapping) for row in rows]


_CROSSINGS: Final = """
    SELECT crossed_at, monitor, nr, address AS wallet, currency, watches, comparison, threshold, recovers_at,
           beyond, because, balance, version, source, journal_id, hold
    FROM ledger_public.crossings
    WHERE (CAST(:monitor AS text) IS NULL OR monitor = :monitor)
      AND (CAST(:wallet AS text) IS NULL OR address = :wallet)
    ORDER BY crossed_at DESC, monitor_id DESC, nr DESC LIMIT :most
"""


async def list_crossings(
    tx: Tx, *, monitor: str | None = None, wallet: str | None = None, most: int
) -> list[Crossing]:
    """The last crossings that were told, oldest first; those of removed monitors too."""
    rows = await tx.all(_CROSSINGS, monitor=monitor, wallet=wallet, most=most)
    return [Crossing(**row._mapping) for row in reversed(rows)]


async def set_monitor(tx: Tx, command: MonitorCommand) -> MonitorNow | NotDone:
    """Set a monitor, or its threshold anew. What is beyond it already is told at once."""
    if fault := _fault(command):
        return fault
    try:
        async with store.journals.all_or_rejected(tx):
            row = await tx.one(_SET, **asdict(command))
    except store.journals.Rejected as rejected:
        return NotDone(reason=rejected.rule, sentence=rejected.sentence)
    [monitor] = await list_monitors(tx, monitor=command.monitor)
    return MonitorNow(monitor=monitor, repeated=not row.done)


_SET: Final = """
    SELECT set_monitor(:monitor, :wallet, :currency, :comparison, CAST(:threshold AS bigint), :watches,
                       CAST(:recovers_at AS bigint), :memo) AS done
"""


async def rehearse(tx: Tx, command: MonitorCommand) -> MonitorNow | NotDone:
    """What setting it would come to, by doing and undoing it: the wallet is locked until `tx` ends."""
    outcome: list[MonitorNow | NotDone] = []
    try:
        async with tx.savepoint():
            outcome.append(await set_monitor(tx, command))
            raise _Undo
    except _Undo:
        return outcome[0]


class _Undo(Exception):
    pass


async def remove_monitor(tx: Tx, monitor: str, memo: str = "") -> bool:
    """Remove a monitor; false: there is none. One that is beyond tells that this is over."""
    row = await tx.one("SELECT remove_monitor(:monitor, :memo) AS done", monitor=monitor, memo=memo)
    return bool(row.done)


def _fault(command: MonitorCommand) -> NotDone | None:
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
