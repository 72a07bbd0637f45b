"""What people may decide about the comparison with Stripe."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any, Final

from fleet.database import Tx
from fleet.decisions import Action, Decision, Ruling, refused
from fleet.zones import local_date
from services.reserves import steps, store
from services.reserves.domain.days import ComparedDay


async def reconcile(tx: Tx, decision: Decision, now: datetime) -> Ruling:
    """Compare a business date with Stripe now. Object: the date, `today`, or `yesterday`."""
    today = local_date(now, await store.days.time_zone(tx))
    day = _day(decision.object, today)
    if day is None:
        return refused(f"{decision.object} is no date such as {today}")
    if day > today:
        return refused(f"{day} is to come; today is {today}")
    last: str | None = ""
    while last is not None:
        last = await steps.reconciliation.match_by_ids(tx, last, now)
    await steps.reconciliation.match_the_rest(tx, now)
    compared = await steps.reconciliation.complete(tx, day, now)
    return Ruling(done=True, sentence=_sentence(day, compared), effects=tuple(map(_effect, compared)))


ACTIONS: Final[Mapping[str, Action]] = {"reconcile": Action(judge=reconcile)}


def _day(named: str, today: date) -> date | None:
    if named in ("today", "yesterday"):
        return today - timedelta(days=named == "yesterday")
    try:
        return date.fromisoformat(named)
    except ValueError:
        return None


def _effect(one: ComparedDay) -> dict[str, Any]:
    return {
        "business_date": one.business_date.isoformat(),
        "currency": one.currency,
        "stripe_closing": one.stripe_closing,
        "books_closing": one.books_closing,
        "drift": one.drift,
        "explained": one.explained,
        "unexplained": one.unexplained,
        "breaks_open": one.breaks_open,
    }


def _sentence(day: date, compared: list[ComparedDay]) -> str:
    if not compared:
        return f"nothing had moved by {day}"
    return f"{day} is compared with Stripe: " + ", ".join(
        f"drift {one.drift} {one.currency}" for one in compared
    )
