"""Pages at Stripe that people had made: whoever asked for one in the console reads its address here."""

from typing import Any, Final
from uuid import UUID

from fleet.database import Tx

ACTIONS: Final = frozenset({"student_link", "link"})
_MADE: Final = "SELECT url, expires_at, problem FROM console_public.page_at_stripe(:decision_id)"


async def made(tx: Tx, decision_id: UUID) -> dict[str, Any] | None:
    """The `url` of the page that a decision asked for, or the `problem`; None: not made yet, or over."""
    row = await tx.first(_MADE, decision_id=decision_id)
    return dict(row._mapping) if row else None
