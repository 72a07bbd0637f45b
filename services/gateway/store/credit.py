"""The statement that asks receivables whether a student may be charged."""

from fleet.database import Tx
from services.gateway.domain.credit import Standing

_CHECK = """
    SELECT currency, posted, pending, available, disputed, under_way, credit_limit, room, used_percent, level,
           held, reason, shortfall
    FROM receivables_public.credit_check(:student, :charge)
"""


async def check(tx: Tx, student: str, charge: int) -> Standing | None:
    """How a student stands, and what speaks against the charge; None before the book names a currency."""
    row = await tx.first(_CHECK, student=student, charge=charge)
    return Standing(**row._mapping) if row else None
