"""Business dates compared with Stripe, from `reserves_public`."""

from datetime import date
from typing import Any, Final

from fleet.database import Tx

_DAY: Final = """
    SELECT business_date, currency, run, stripe_opening, stripe_moved, stripe_closing, books_opening,
           books_moved,
           books_closing, drift, explained, unexplained, breaks_open, stripe_as_of, books_as_of, completed_at,
           movements
    FROM reserves_public.days WHERE business_date = :day ORDER BY currency
"""


async def day(tx: Tx, business_date: date) -> list[dict[str, Any]]:
    """A date's comparison, for each currency."""
    return [dict(row._mapping) for row in await tx.all(_DAY, day=business_date)]


_DAYS: Final = """
    SELECT business_date, currency, run, stripe_closing, books_closing, drift, explained, unexplained,
           breaks_open,
           completed_at
    FROM reserves_public.days ORDER BY business_date DESC, currency OFFSET :skip LIMIT :most
"""


async def days(tx: Tx, *, most: int, skip: int = 0) -> list[dict[str, Any]]:
    """Dates that were compared, newest first."""
    return [dict(row._mapping) for row in await tx.all(_DAYS, most=most, skip=skip)]
