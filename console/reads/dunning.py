"""What is asked of students about overdue bills.

The rules are receivables' own, so its desk is asked: a page holds the next names, and none is sorted here.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from console.reads.accounts import OF_STUDENT
from console.reads.by_name import Rows
from console.reads.tables import Column, Listing
from fleet.database import Tx
from services.receivables.desk.reads import dunning

LOOKED_AT: Final = 100  # students of a page of what would be asked today: of most of them nothing is

_CURRENCY: Final = Column(name="currency", title="Currency", export_only=True)
_TOTAL: Final = (
    OF_STUDENT,
    Column(name="total", title="Overdue", kind="money", link="/accounts/items?f.student={student}"),
    Column(name="days_overdue", title="Days", kind="number"),
)
LISTED: Final = Listing(
    name="dunning",
    title="Dunning",
    sql="",
    columns=(
        *_TOTAL,
        Column(name="last_step", title="Last step"),
        Column(name="last_on", title="Done on", kind="date"),
        Column(name="stopped", title="Stopped by", kind="state"),
        Column(name="until", title="Until", kind="date"),
        Column(name="next_step", title="Next step"),
        Column(name="next_action", title="What it does", kind="state"),
        Column(name="next_on", title="Due on", kind="date"),
        Column(name="run", title="Run", kind="number", export_only=True),
        _CURRENCY,
    ),
    key="student",
    order="student",
    empty="Nothing of anybody is overdue. Whom to ask, and when, is in the school's book.",
)
TODAY: Final = Listing(
    name="dunning-today",
    title="What is asked today",
    sql="",
    columns=(
        *_TOTAL,
        Column(name="step", title="Step"),
        Column(name="action", title="What it does", kind="state"),
        Column(name="from", title="From"),
        _CURRENCY,
    ),
    key="student",
    order="student",
    empty="Nobody of these is asked today: nothing is due, or it is a weekend, a holiday or evening.",
)


async def listed(tx: Tx, now: datetime, after: str, most: int, only: Sequence[str] | None = None) -> Rows:
    """The next students by name of whom something is overdue; and the last name, None at the end."""
    rows, last = await dunning.part(tx, now, after=after, most=most, only=only)
    return [row for row in rows if row["total"] or row["hold"]], last


async def today(tx: Tx, now: datetime, after: str, most: int, only: Sequence[str] | None = None) -> Rows:
    """Of the next students by name those who are asked today; and the last name, None at the end."""
    return await dunning.due_part(tx, now, after=after, most=most, only=only)
