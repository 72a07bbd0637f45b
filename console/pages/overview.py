"""The first page: the month's money, and what waits for a person."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from fastapi.responses import RedirectResponse, Response

from console.context import Visit
from console.guard import Pages
from console.reads import letters, school
from console.roles import ROLES
from console.times import begin_of_day, span
from fleet.zones import local_date
from services.reserves.desk.reads import reserve

pages = Pages()


@dataclass(frozen=True, slots=True, kw_only=True)
class Duty:
    """A kind of thing that waits: how it is called, and where a person deals with it."""

    what: str
    title: str
    address: str


DUTIES: Final = (
    Duty(what="corrections", title="corrections wait for approval", address="/corrections"),
    Duty(
        what="failed",
        title="approved corrections failed at the ledger",
        address="/corrections/all?f.state=failed",
    ),
    Duty(what="settlements", title="settlements are open", address="/settlements?f.state=waiting"),
    Duty(what="parked", title="transfers are parked", address="/transfers?f.state=parked"),
    Duty(what="refused", title="transfers were refused by Stripe", address="/transfers?f.state=refused"),
    Duty(what="held", title="transfers are held", address="/transfers?f.state=held"),
    Duty(what="not_ready", title="payees cannot be paid yet", address="/payees"),
    Duty(what="unallocated", title="payments name no student", address="/payments/unallocated"),
    Duty(what="disputes", title="payments are disputed", address="/payments/disputes"),
    Duty(what="unexplained", title="rows at Stripe are unexplained", address="/movements"),
    Duty(what="reserve_alerts", title="alerts of the reserve nobody acknowledged", address="/reserve"),
    Duty(what="openings", title="openings of the gate need a second person", address="/reserve"),
    Duty(
        what="breaks",
        title="breaks between Stripe and the books are open",
        address="/reconciliation/breaks?f.state=open",
    ),
    Duty(what="refused_flights", title="flights were refused", address="/flights/refused"),
    Duty(what="dead_letters", title="records could not be processed", address="/dead"),
    Duty(what="questions", title="questions wait for an answer", address="/questions"),
)


@pages.get("/", ROLES)
async def overview(visit: Visit) -> Response:
    """Where everybody begins: staff here, holders at their own money."""
    if not visit.person.is_staff:
        return RedirectResponse("/own", status_code=303)
    return await _for_staff(visit)


async def _for_staff(visit: Visit) -> Response:
    now, zone = visit.console.clock(), visit.school.zone
    async with visit.reading() as tx:
        newest = await school.newest_day(tx)
        first = _month_of(newest or local_date(now, zone))
        after = _next_month(first)
        waiting = await school.waiting(tx)
        waiting["dead_letters"] = await letters.waiting(tx)
        waiting["questions"] = await letters.questions_waiting(tx)
        facts: dict[str, Any] = {
            "balances": await school.balances(tx),
            "month": await school.month(tx, since=first, until=after),
            "money_in": await school.money_in(
                tx, since=begin_of_day(first, zone), until=begin_of_day(after, zone)
            ),
            "stands": await reserve.stands(tx, now),
            "days": await school.days(
                tx, currency=visit.school.currency, since=first - timedelta(days=180), until=after
            ),
        }
    duties = [
        {"duty": duty, "number": found["number"], "age": span(found["oldest"], now)}
        for duty in DUTIES
        if (found := waiting[duty.what])["number"]
    ]
    return visit.page("overview.html", duties=duties, first=first, chart=_chart(facts["days"]), **facts)


def _month_of(day: date) -> date:
    return day.replace(day=1)


def _next_month(first: date) -> date:
    return (first + timedelta(days=31)).replace(day=1)


def _chart(days: list[dict[str, Any]]) -> dict[str, list[Any]]:
    """Months with what was charged and what is left to the school, in minor units, for a chart."""
    months: dict[str, list[int]] = {}
    for row in days:
        sums = months.setdefault(row["day"].strftime("%Y-%m"), [0, 0])
        sums[0] += row["charged"]
        sums[1] += row["margin"]
    return {
        "months": list(months),
        "charged": [sums[0] for sums in months.values()],
        "margin": [sums[1] for sums in months.values()],
    }
