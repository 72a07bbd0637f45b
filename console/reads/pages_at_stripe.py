"""Pages at Stripe that people had made: whoever asked for one reads its address here, and nobody else."""

from typing import Any, Final
from uuid import UUID

from fleet.database import Tx
from services.payouts.desk import reads

_READS: Final = {"student_link": reads.find_student_link, "link": reads.find_link}
ACTIONS: Final = frozenset(_READS)


async def made(tx: Tx, action: str, decision_id: UUID) -> dict[str, Any] | None:
    """The `url` of the page that a decision asked for, or the `problem`; None: not made yet."""
    return await _READS[action](tx, decision_id)
