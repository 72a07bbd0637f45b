"""The statements that ask receivables whether a student may be charged."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from fleet.database import Tx
from fleet.zones import local_date
from services.gateway.domain.credit import Standing

# PostgreSQL's copy of the time zone data is as old as the server: the day is computed here and handed to it.
_ZONE = "SELECT receivables_public.school_time_zone() AS time_zone"
_CARDS = """
    SELECT book, kind, key, effective_from, version, document AS card
    FROM billing_public.cards_of_flight(CAST(:student AS text), CAST(:aircraft AS text),
                                        CAST(:instructor AS text))
"""
_CHECK = """
    SELECT currency, posted, pending, available, disputed, under_way, credit_limit, room, used_percent, level,
           held, reason, shortfall, overdue
    FROM receivables_public.credit_check(:student, :charge, :day, CAST(:activity AS text))
"""


async def cards(
    tx: Tx, student: str, aircraft: str | None, instructor: str | None
) -> Sequence[Mapping[str, Any]]:
    """The cards that may price a flight: book, kind, key, effective_from, version and card of each."""
    rows = await tx.all(_CARDS, student=student, aircraft=aircraft, instructor=instructor)
    return [dict(row._mapping) for row in rows]


async def check(tx: Tx, student: str, charge: int, now: datetime, activity: str | None) -> Standing | None:
    """How a student stands, and what speaks against the charge; None before the book names a currency.

    activity: of a planned flight, whose kind may have a limit of its own.
    """
    school = await tx.one(_ZONE)
    if school.time_zone is None:
        return None
    day = local_date(now, school.time_zone)
    row = await tx.first(_CHECK, student=student, charge=charge, day=day, activity=activity)
    return Standing(**row._mapping) if row else None
