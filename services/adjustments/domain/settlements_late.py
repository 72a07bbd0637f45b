"""What finance has to hear of: what waits too long, and what can soon not be taken back any more. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from fleet.cause import Cause
from services.adjustments.domain.settlements import Method, Settlement
from services.adjustments.domain.settlements_told import money

WARNED_BEFORE: Final = timedelta(hours=12)  # an evening's notice of a window that closes in the morning
UNANSWERED_AFTER: Final = timedelta(hours=24)


class Lateness(StrEnum):
    OVERDUE = "overdue"  # waits for a transfer for longer than the policy says
    WINDOW_CLOSES = "window_closes"  # what the payee owes can be taken back for a few hours more
    UNANSWERED = "unanswered"  # payouts was asked for a reversal or a refund and said nothing
    FORGOTTEN = "forgotten"  # an answer came of what nobody decided here: a restore has lost the decision


@dataclass(frozen=True, slots=True, kw_only=True)
class Late:
    """A settlement of the adjustment `name`. since: it waits. until: when the last window closes."""

    settlement: Settlement
    name: str
    since: datetime
    trace: Cause
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LateCounts:
    """How many settlements are late in each way, whoever was told of them."""

    overdue: int
    window_closes: int
    unanswered: int
    forgotten: int


def sentence(late: Late, what: Lateness, now: datetime) -> str:
    """What finance is told, with what to do."""
    one = late.settlement
    owed = f"owed {'by' if one.amount < 0 else 'to'} {one.wallet}"
    about = f"adjustment {late.name}: {money(one.amount, one.currency)} {owed}"
    settle = f"hobbs adjustments settle {late.name} --wallet {one.wallet}"
    if what is Lateness.OVERDUE:
        return f"{about} has waited for a transfer for {(now - late.since).days} days: {settle}"
    if what is Lateness.UNANSWERED:
        what_parks = "refund" if one.method is Method.REFUND else "reversal"
        return f"{about}: payouts has not said for a day what came back at Stripe; is a {what_parks} parked?"
    assert late.until is not None, "its window is what closes"
    hours = max((late.until - now) // timedelta(hours=1), 0)
    return (
        f"{about} can be taken back at Stripe for {hours} hours more, until {late.until:%Y-%m-%d %H:%M} UTC: "
        f"hobbs adjustments claw-back {late.name} --wallet {one.wallet}"
    )
