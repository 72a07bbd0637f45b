"""The statements that ask receivables whether a student may be charged."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from fleet.database import Tx
from services.gateway.domain.credit import Standing

_CARDS = """
    SELECT book, kind, key, effective_from, version, document AS card
    FROM billing_public.cards_of_flight(CAST(:student AS text), CAST(:aircraft AS text),
                                        CAST(:instructor AS text))
"""
_CHECK = """
    SELECT school.time_zone, told.currency, told.posted, told.pending, told.available, told.disputed,
           told.under_way, told.credit_limit, told.room, told.used_percent, told.level, told.held,
           told.reason, told.shortfall, told.overdue
    FROM receivables_public.school_time_zone() AS school (time_zone)
    LEFT JOIN LATERAL receivables_public.credit_check(:student, :charge, :day, CAST(:activity AS text))
        AS told ON true
"""


async def cards(
    tx: Tx, student: str, aircraft: str | None, instructor: str | None
) -> Sequence[Mapping[str, Any]]:
    """The cards that may price a flight: book, kind, key, effective_from, version and card of each."""
    rows = await tx.all(_CARDS, student=student, aircraft=aircraft, instructor=instructor)
    return [dict(row._mapping) for row in rows]


async def check(
    tx: Tx, student: str, charge: int, day: date, activity: str | None
) -> tuple[str | None, Standing | None]:
    """The school's time zone, and how a student stands on that day beside the charge.

    activity: of a planned flight, whose kind may have a limit of its own. None: the book names no time zone,
    or no currency, yet.
    """
    row = dict((await tx.one(_CHECK, student=student, charge=charge, day=day, activity=activity))._mapping)
    zone = row.pop("time_zone")
    return zone, None if row["currency"] is None else Standing(**row)
