"""What the school's book says of credit in a season, and how it has limits rise and fall by themselves."""

from collections.abc import Collection, Mapping
from datetime import date
from typing import Any, Final

from tests.season.accounts import BOOK_LIMIT, SOLO_LIMIT, TERMS
from tests.season.asking import BETWEEN, FROM, MINIMUM, STEPS, UNTIL
from tests.season.limits import POLICY, Manner

CHEQUE_FEE: Final = 25_00
ALONE: Final = 400_00  # what one person may give a student in a day
OTHER: Final = {"automatic": "proposed", "proposed": "automatic"}


def credit_card(manner: Manner, holidays: Collection[date]) -> Mapping[str, Any]:
    """The book's card on credit."""
    return {
        "limit": BOOK_LIMIT,
        "limit_solo": SOLO_LIMIT,
        "hold_hours": 6,
        "terms": "net",
        "terms_days": TERMS.days,
        "allowed_by_one_up_to": 1_000_000_00,
        "given_by_one_up_to": ALONE,
        "bounced_cheque_fee": CHEQUE_FEE,
        "cheques_count": "at_receipt",
        **POLICY,
        "raises": manner.raises,
        "falls": manner.falls,
        "dunning_steps": [
            {"name": name, "action": action}
            | ({"days_overdue": days} if days else {})
            | ({"balance": balance} if balance else {})
            for name, days, balance, action in STEPS
        ],
        "dunning_minimum": MINIMUM,
        "dunning_days_between": BETWEEN,
        "dunning_from_hour": FROM,
        "dunning_until_hour": UNTIL,
        "dunning_holidays": sorted(day.isoformat() for day in holidays),
    }
