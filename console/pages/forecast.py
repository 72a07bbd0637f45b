"""The forecast of the reserve: what can be sent in the next two weeks, day by day, and what is short when."""

from datetime import date, timedelta
from itertools import groupby
from typing import Any, Final

from fastapi.responses import Response

from console.context import Visit
from console.guard import Pages
from console.roles import STAFF
from fleet.money import parse_minor
from services.reserves.desk import reads
from services.reserves.desk.reads.forecast import Looked, WhatIf
from services.reserves.domain.forecast import Hour, Run

pages = Pages()

AMOUNT_CHARS_MAX: Final = 20
RUNS_SHOWN: Final = 100  # `hobbs reserve forecast` lists all
DAYS: Final = 14


@pages.get("/reserve/forecast", STAFF)
async def ahead(visit: Visit) -> Response:
    """The next days by what is known and what is usual; with a top-up, or without payments, if asked so."""
    query = visit.request.query_params
    what_if, problems = _what_if(visit, query.get("top_up", "").strip(), query.get("on", ""))
    now = visit.console.clock()
    async with visit.reading() as tx:
        looked = await reads.forecast.look_ahead(tx, now, what_if)
        past = await reads.forecast.past(tx)
    runs = [_run(run, looked.currency) for run in looked.ahead.runs] if looked else []
    return visit.page(
        "forecast.html",
        looked=looked,
        days=_days(looked) if looked else [],
        runs=runs[:RUNS_SHOWN],
        more=max(len(runs) - RUNS_SHOWN, 0),
        past=[row for row in past if row["free_error"] is not None][:DAYS],
        problems=problems,
        asked={"top_up": query.get("top_up", ""), "on": query.get("on", "")},
        without=what_if.without_payments,
    )


def _what_if(visit: Visit, top_up: str, on: str) -> tuple[WhatIf, list[str]]:
    """What is supposed, as far as it can be read; and what cannot, a sentence each."""
    without = visit.request.query_params.get("without") == "yes"
    if not top_up:
        return WhatIf(without_payments=without), []
    try:
        amount = parse_minor(top_up[:AMOUNT_CHARS_MAX], visit.school.currency)
        day = date.fromisoformat(on) if on else visit.today
    except ValueError:
        return WhatIf(without_payments=without), ["Write an amount such as 500.00, and a day"]
    last = visit.today + timedelta(days=DAYS)
    if amount <= 0 or not visit.today <= day <= last:
        return WhatIf(without_payments=without), [f"A top-up is more than nothing, and until {last}"]
    return WhatIf(without_payments=without, top_up=amount, on=day), []


def _days(looked: Looked) -> list[dict[str, Any]]:
    """The hours of the forecast summed by the school's days."""
    return [
        _day(day, list(hours))
        for day, hours in groupby(looked.ahead.hours, key=lambda hour: hour.at.astimezone(looked.zone).date())
    ]


def _day(day: date, hours: list[Hour]) -> dict[str, Any]:
    return {
        "day": f"{day:%a} {day}",
        "came": sum(hour.came for hour in hours),
        "expected": sum(hour.expected for hour in hours),
        "sent": sum(hour.sent for hour in hours),
        "free": hours[-1].free,
        "waiting": hours[-1].waiting,
        "short": max(hour.short for hour in hours),
    }


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
