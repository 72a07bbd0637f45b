"""The first page: the month's money, and what waits for a person."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from fastapi.responses import RedirectResponse, Response

from console.context import Visit
from console.guard import Pages
from console.pages.readers import looked
from console.reads import letters, school
from console.recent import FOR_S
from console.roles import ROLES
from console.times import begin_of_day, next_month, span
from fleet.zones import local_date
from services.reserves.desk.reads import reserve

pages = Pages()

SUMMED: Final = ("flights", "charged", "margin")
CHART_DAYS: Final = 180  # before the newest month
MONTHS_FOR_S: Final = 60.0  # how old the months of the chart before the newest may be
LOOK_EVERY_S: Final = 20  # how often an open overview looks again by itself
LOOK_SOON_S: Final = 2  # the same where it shows figures that are read again meanwhile


@dataclass(frozen=True, slots=True, kw_only=True)
class Duty:
    """A kind of thing that waits: how it is called, and where a person deals with it."""

    what: str
    title: str
    title_of_one: str
    address: str


DUTIES: Final = tuple(
    Duty(what=what, title=title, title_of_one=one, address=address)
    for what, title, one, address in (
        ("corrections", "corrections wait for approval", "correction waits for approval", "/corrections"),
        (
            "failed",
            "approved corrections failed at the ledger",
            "approved correction failed at the ledger",
            "/corrections/all?f.state=failed",
        ),
        (
            "rates",
            "changes of rates or limits wait for approval",
            "change of a rate or limit waits for approval",
            "/rate-proposals?f.state=waiting",
        ),
        ("settlements", "settlements are open", "settlement is open", "/settlements?f.state=waiting"),
        ("parked", "transfers are parked", "transfer is parked", "/transfers?f.state=parked"),
        (
            "refused",
            "transfers were refused by Stripe",
            "transfer was refused by Stripe",
            "/transfers?f.state=refused",
        ),
        ("held", "transfers are held", "transfer is held", "/transfers?f.state=held"),
        ("not_ready", "payees cannot be paid yet", "payee cannot be paid yet", "/payees?f.ready=no"),
        ("unallocated", "payments name no student", "payment names no student", "/payments/unallocated"),
        ("disputes", "payments are disputed", "payment is disputed", "/payments/disputes"),
        (
            "calls",
            "students are to be called, or handed to collection",
            "student is to be called, or handed to collection",
            "/dunning",
        ),
        (
            "allowances",
            "flights beyond a limit need a second person",
            "flight beyond a limit needs a second person",
            "/allowances?f.stands=waiting",
        ),
        (
            "limit_changes",
            "changes of limits wait for a person",
            "change of a limit waits for a person",
            "/credit/changes?f.state=waiting",
        ),
        (
            "notes",
            "refunds and credits by hand need a second person",
            "refund or credit by hand needs a second person",
            "/notes?f.state=waits",
        ),
        ("unexplained", "rows at Stripe are unexplained", "row at Stripe is unexplained", "/movements"),
        (
            "reserve_alerts",
            "alerts of the reserve nobody acknowledged",
            "alert of the reserve nobody acknowledged",
            "/reserve",
        ),
        (
            "openings",
            "openings of the gate need a second person",
            "opening of the gate needs a second person",
            "/reserve",
        ),
        (
            "breaks",
            "breaks between Stripe and the books are open",
            "break between Stripe and the books is open",
            "/reconciliation/breaks?f.state=open",
        ),
        (
            "mismatches",
            "flights do not agree with bills, books or payees",
            "flight does not agree with its bill, the books or its payees",
            "/reconciliation/flights?f.state=open",
        ),
        ("refused_flights", "flights were refused", "flight was refused", "/flights/refused"),
        (
            "dead_letters",
            "records could not be processed",
            "record could not be processed",
            "/dead?f.state=open&f.what=other",
        ),
        (
            "readers",
            "services are away, or behind what was published",
            "service is away, or behind what was published",
            "/readers",
        ),
        (
            "questions",
            "questions wait for an answer",
            "question waits for an answer",
            "/questions?f.state=open",
        ),
    )
)


@pages.get("/", ROLES)
async def overview(visit: Visit) -> Response:
    """Where everybody begins: staff here, holders at their own money."""
    if not visit.person.is_staff:
        return RedirectResponse("/own", status_code=303)
    return await _for_staff(visit)


async def _for_staff(visit: Visit) -> Response:
    recent, zone = visit.console.recent, visit.school.zone
    now = "now" in visit.request.query_params
    figures, as_of = await recent.get(("overview", zone), lambda: _figures(visit), now=now)
    months, _ = await recent.get(
        ("overview by month", figures["first"]), lambda: _months(visit, figures), for_s=MONTHS_FOR_S
    )
    at = visit.console.clock()
    read, _, no_answer = await looked(visit)
    late = [] if no_answer else read.late(at)
    figures["waiting"]["readers"] = {
        "number": len(late),
        "oldest": min((one["oldest_at"] for one in late if one["oldest_at"]), default=None),
    }
    duties = [
        {"duty": duty, "number": found["number"], "age": span(found["oldest"], at)}
        for duty in DUTIES
        if (found := figures["waiting"][duty.what])["number"]
    ]
    return visit.page(
        "overview.html",
        duties=duties,
        chart=_chart([*months, *figures["days"]], visit.school.currency),
        as_of=as_of,
        look_again_s=LOOK_SOON_S if (at - as_of).total_seconds() > FOR_S else LOOK_EVERY_S,
        no_answer=no_answer,
        **figures,
    )


async def _figures(visit: Visit) -> dict[str, Any]:
    """What waits, the newest month's money, and what is owed now."""
    now, zone = visit.console.clock(), visit.school.zone
    async with visit.reading() as tx:
        newest = await school.newest_day(tx)
        first = (newest or local_date(now, zone)).replace(day=1)
        after = next_month(first)
        waiting = await school.waiting(tx)
        waiting["dead_letters"] = await letters.waiting(tx)
        waiting["questions"] = await letters.questions_waiting(tx)
        days = await school.days(tx, since=first, until=after)
        return {
            "first": first,
            "after": after,
            "waiting": waiting,
            "days": days,
            "month": _sums(days, "currency"),
            "balances": await school.balances(tx),
            "money_in": await school.money_in(
                tx, since=begin_of_day(first, zone), until=begin_of_day(after, zone)
            ),
            "stands": await reserve.stands(tx, now),
        }


async def _months(visit: Visit, figures: dict[str, Any]) -> list[dict[str, Any]]:
    """The days of the half year before the newest month: they change seldom."""
    first = figures["first"]
    async with visit.reading() as tx:
        return await school.days(tx, since=first - timedelta(days=CHART_DAYS), until=first)


def _chart(days: list[dict[str, Any]], currency: str) -> dict[str, list[Any]]:
    """Months with what was charged and what is left to the school, in minor units, for a chart."""
    of_currency = [row for row in days if row["currency"] == currency]
    months = _sums([row | {"month": row["day"].strftime("%Y-%m")} for row in of_currency], "month")
    return {
        "months": [one["month"] for one in months],
        "charged": [one["charged"] for one in months],
        "margin": [one["margin"] for one in months],
    }


def _sums(days: list[dict[str, Any]], by: str) -> list[dict[str, Any]]:
    """Flights, charge and margin of these days for each value of `by`, in their order."""
    return [
        {by: value, **{name: sum(row[name] for row in days if row[by] == value) for name in SUMMED}}
        for value in sorted({row[by] for row in days})
    ]
