"""Add posted journals to the positions, each once."""

from collections.abc import Sequence

from fleet.database import Tx
from fleet.faults import fault_point
from services.reserves import store
from services.reserves.domain import positions
from services.reserves.domain.positions import Taken


async def take(tx: Tx, journals: Sequence[Taken]) -> None:
    """Add what journals moved that were not taken yet."""
    new = await store.positions.take(tx, [one.journal_id for one in journals])
    first = {one.journal_id: one for one in journals if one.journal_id in new}
    await store.positions.add(tx, positions.moved(first.values()))
    await store.positions.pay(tx, positions.paid_out(first.values()))
    await fault_point("reserves.positions_written")
