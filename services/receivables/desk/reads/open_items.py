"""What people ask of students' accounts, read from published views. Amounts are minor units of `currency`."""

from datetime import date, datetime
from typing import Any

from fleet.database import Tx
from services.receivables.desk.reads import today

_AGEING = """
    SELECT student, currency, balance, not_due, days_1_30, days_31_60, days_61_90, over_90, owed, overdue,
           credit, oldest_due, items
    FROM receivables_public.ageing_of(:day, CAST(:student AS text))
"""
_TOTAL = """
    SELECT currency, students, balance, not_due, days_1_30, days_31_60, days_61_90, over_90, owed, overdue,
           credit
    FROM receivables_public.ageing_in_total(:day)
"""
_ITEMS = """
    SELECT student, currency, document, booked_on, due_on, greatest(:day - due_on, 0) AS days_overdue, amount,
           amount - open AS settled, open
    FROM receivables_public.items
    WHERE (CAST(:student AS text) IS NULL OR student = :student) AND (:settled OR open <> 0)
    ORDER BY student, currency, due_on, document LIMIT :most OFFSET :skip
"""
_LINES = """
    SELECT document, booked_on, source, currency, amount, journal_id FROM receivables_public.item_lines
    WHERE student = :student AND document = :document ORDER BY booked_on, journal_id
"""


async def ageing(
    tx: Tx, now: datetime, *, student: str | None = None, on: date | None = None
) -> list[dict[str, Any]]:
    """What students owe by how long it is overdue, by name; credit is what they paid beyond it.

    on: as if this were the day; only the ages change, what is open is what is open now.
    """
    rows = await tx.all(_AGEING, day=on or await today(tx, now), student=student)
    return [dict(row._mapping) for row in rows]


async def ageing_in_total(tx: Tx, now: datetime, *, on: date | None = None) -> list[dict[str, Any]]:
    """The same of everybody together, one row for each currency."""
    rows = await tx.all(_TOTAL, day=on or await today(tx, now))
    return [dict(row._mapping) for row in rows]


async def items(
    tx: Tx,
    now: datetime,
    *,
    student: str | None = None,
    settled: bool = False,
    most: int = 1000,
    skip: int = 0,
) -> list[dict[str, Any]]:
    """Items that are open, what is due first first; with `settled` the others too. Credit is positive."""
    day = await today(tx, now)
    rows = await tx.all(_ITEMS, day=day, student=student, settled=settled, most=most, skip=skip)
    return [dict(row._mapping) for row in rows]


async def lines(tx: Tx, student: str, document: str) -> list[dict[str, Any]]:
    """The journals that make up one item."""
    return [dict(row._mapping) for row in await tx.all(_LINES, student=student, document=document)]
