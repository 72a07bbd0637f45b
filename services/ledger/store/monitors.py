"""Sets and removes monitors; the database's triggers write their crossings."""

from dataclasses import asdict
from typing import Final

from fleet.database import Tx
from services.ledger.domain.monitors import MonitorCommand

_SET: Final = """
    SELECT set_monitor(:monitor, :wallet, :currency, :comparison, CAST(:threshold AS bigint), :watches,
                       CAST(:recovers_at AS bigint), :memo) AS done
"""


async def set_monitor(tx: Tx, command: MonitorCommand) -> bool:
    """Set a monitor, or change its threshold; false: nothing changed."""
    row = await tx.one(_SET, **asdict(command))
    return bool(row.done)


_REMOVE: Final = "SELECT remove_monitor(:monitor, :memo) AS done"


async def remove_monitor(tx: Tx, monitor: str, memo: str) -> bool:
    """Remove a monitor; false: there is none. If it is beyond its threshold, it publishes a last crossing."""
    row = await tx.one(_REMOVE, monitor=monitor, memo=memo)
    return bool(row.done)
