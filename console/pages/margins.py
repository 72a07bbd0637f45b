"""What flights leave to the school, by what they have in common, down to each flight."""

from datetime import date, timedelta
from typing import Any, Final

from fastapi.responses import RedirectResponse, Response

from console.context import Visit
from console.guard import Missing, Pages
from console.pages.lists import list_page
from console.reads import margins, school
from console.roles import STAFF
from console.times import next_month

pages = Pages()

MONTHS_OF_MONTHS: Final = 12  # the list by month begins with a year


@pages.get("/margin", STAFF)
async def begin(visit: Visit) -> Response:
    return RedirectResponse("/margin/aircraft", status_code=303)


@pages.get("/margin/{by}", STAFF)
async def margin(visit: Visit, by: str, since: str = "", until: str = "") -> Response:
    """Flights of some days, summed by one thing: without days, those of the newest month with flights."""
    listing = margins.LISTINGS.get(by)
    if listing is None:
        raise Missing
    async with visit.reading() as tx:
        newest = await school.newest_day(tx) or visit.today
        days = _period(newest, since, until, months=MONTHS_OF_MONTHS if by == "month" else 1)

    async def read_totals() -> list[dict[str, Any]]:
        async with visit.reading() as tx:
            return await margins.totals(tx, since=days["since"], until=days["until"])

    totals, as_of = await visit.console.recent.get(("margin", *days.values()), read_totals)
    shown: dict[str, Any] = {"by": by, "kinds": tuple(margins.LISTINGS), "days": days, "totals": totals}
    kept = {name: day.isoformat() for name, day in days.items()}
    return await list_page(
        visit, listing, template="margin.html", given=days, kept=kept, as_of=as_of, **shown
    )


def _period(newest: date, since: str, until: str, *, months: int) -> dict[str, date]:
    """The days that were asked for, both included; what cannot be read is the newest months'."""
    first = newest.replace(day=1)
    for _ in range(months - 1):
        first = (first - timedelta(days=1)).replace(day=1)
    begin, end = _day(since) or first, _day(until) or next_month(newest.replace(day=1)) - timedelta(days=1)
    return {"since": min(begin, end), "until": end}


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
