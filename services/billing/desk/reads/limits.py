"""What a student may owe on a day, as receivables says it: read for a decision, never to bill a flight."""

from datetime import date
from typing import Final

from fleet.database import Tx
from services.billing.domain.own_limits import InForce

_IN_FORCE: Final = "SELECT credit_limit, frozen FROM receivables_public.credit_of(:day, :student)"


async def in_force(tx: Tx, student: str, day: date) -> InForce:
    """The limit of a day, as flights are cleared by it; none before receivables knows the book."""
    row = await tx.first(_IN_FORCE, day=day, student=student)
    return InForce(limit=row.credit_limit, frozen=row.frozen) if row else InForce(limit=None, frozen=False)
