"""Periods that were closed."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from fleet.database import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosedPeriod:
    """A period that takes no more journals: from the end of the one before to `until`.

    late_journals: those that belong to it and were dated into the period that was open when they came.
    """

    began: datetime | None
    until: datetime
    closed_at: datetime
    closed_by: str
    late_journals: int
    memo: str


_CLOSED: Final = """
    SELECT lag(until) OVER (ORDER BY until) AS began, until, closed_at, closed_by,
           (SELECT count(*) FROM ledger_public.late_journals AS late
             WHERE late.period_until = period.until) AS late_journals, memo
    FROM ledger_public.closed_periods AS period ORDER BY until DESC
"""


async def list_closed(tx: Tx) -> list[ClosedPeriod]:
    """Every closed period, the newest first."""
    return [ClosedPeriod(**row._mapping) for row in await tx.all(_CLOSED)]
