"""When a debt will be taken off, at the pace at which a payee was paid lately: an estimate. Pure."""

from datetime import date, timedelta
from typing import Final

SEEN_DAYS: Final = 90  # of payouts that tell the pace
DAYS_MAX: Final = 3_650  # what takes longer will not happen


def recovered_about(debt: int, *, paid: int, percent: int, today: date) -> date | None:
    """About when a debt is taken off whole; None: not at this pace.

    debt: with what the payee owes before it, minor units. paid: to the payee in SEEN_DAYS. percent: of each
    payment that is taken off at most.
    """
    if paid <= 0:
        return None
    days = -(-debt * SEEN_DAYS * 100 // (paid * percent))
    return today + timedelta(days=days) if days <= DAYS_MAX else None
