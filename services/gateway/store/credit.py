"""The statements that ask receivables whether a student may be charged."""

from datetime import datetime

from fleet.database import Tx
from fleet.zones import local_date
from services.gateway.domain.credit import Standing

# PostgreSQL's copy of the time zone data is as old as the server: the day is computed here and handed to it.
_ZONE = "SELECT receivables_public.school_time_zone() AS time_zone"
_CHECK = """
    SELECT currency, posted, pending, available, disputed, under_way, credit_limit, room, used_percent, level,
           held, reason, shortfall, overdue
    FROM receivables_public.credit_check(:student, :charge, :day)
"""


async def check(tx: Tx, student: str, charge: int, now: datetime) -> Standing | None:
    """How a student stands, and what speaks against the charge; None before the book names a currency."""
    school = await tx.one(_ZONE)
    if school.time_zone is None:
        return None
    row = await tx.first(_CHECK, student=student, charge=charge, day=local_date(now, school.time_zone))
    return Standing(**row._mapping) if row else None
