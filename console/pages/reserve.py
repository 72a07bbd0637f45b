"""The school's reserve at Stripe: how it stands term by term, its alerts, and who opened its gate."""

from typing import Any, Final

from fastapi.responses import Response

from console import catalogue
from console.context import Visit
from console.guard import Pages
from console.roles import STAFF
from services.reserves.desk import reads
from services.reserves.desk.reads.forecast import Looked, WhatIf
from services.reserves.domain.forecast import Run

pages = Pages()

RUNS_MAX: Final = 100  # transfers that a forecast shows; `hobbs reserve forecast` lists all


@pages.get("/reserve", STAFF)
async def reserve(visit: Visit) -> Response:
    now = visit.console.clock()
    async with visit.reading() as tx:
        stands = await reads.reserve.stands(tx, now)
        alerts = await reads.alerts.list_alerts(tx, every=False)
        openings = await reads.alerts.list_openings(tx)
    for opening in openings:
        opening["standing"] = standing_of(opening, over=opening["until"] <= now)
    return visit.page(
        "reserve.html",
        stands=stands,
        alerts=alerts,
        openings=openings[:50],
        acts={
            name: catalogue.allowed(visit.person, name)
            for name in ("acknowledge_alert", "open_gate", "approve_opening", "close_opening")
        },
    )


@pages.get("/reserve/forecast", STAFF)
async def forecast(visit: Visit, without: str = "") -> Response:
    """Which transfers can go when in the next days, what is short, and what was forecast of the last days."""
    what_if = WhatIf(without_payments=without == "payments")
    async with visit.reading() as tx:
        looked = await reads.forecast.look_ahead(tx, visit.console.clock(), what_if)
        past = await reads.forecast.past(tx)
    runs = [_run(run, looked.currency) for run in looked.ahead.runs] if looked else []
    days = _days(looked) if looked else []
    shown: dict[str, Any] = {
        "runs": runs[:RUNS_MAX],
        "more": max(len(runs) - RUNS_MAX, 0),
        "days": days,
        "past": past,
    }
    return visit.page("forecast.html", looked=looked, without=what_if.without_payments, **shown)


def _run(run: Run, currency: str) -> dict[str, Any]:
    return {
        "id": run.due.name,
        "wallet": run.due.wallet,
        "amount": run.due.amount,
        "currency": currency,
        "due_at": run.due.at,
        "goes_at": run.at,
        "short": run.short,
    }


def _days(looked: Looked) -> list[dict[str, Any]]:
    """The hours of the forecast, day by day: sums of what moves, and how the day ends."""
    days: dict[Any, dict[str, Any]] = {}
    for hour in looked.ahead.hours:
        day = hour.at.astimezone(looked.zone).date()
        sums = days.setdefault(day, {"day": day, "came": 0, "expected": 0, "sent": 0})
        for name in ("came", "expected", "sent"):
            sums[name] += getattr(hour, name)
        sums |= {"left": hour.free, "waiting": hour.waiting, "short": hour.short}
    return list(days.values())


def standing_of(opening: dict[str, Any], *, over: bool) -> str:
    """What an opening is now: ended by a person, over, waiting for a second person, or in force."""
    if opening["closed_at"] is not None:
        return "ended"
    if over:
        return "over"
    return "waiting" if opening["needs_second"] and opening["approved_at"] is None else "in_force"
