"""The books compared with Stripe, day by day, and flights compared three ways."""

from datetime import date
from typing import Any, Final

from fastapi.responses import Response

from console import catalogue
from console.context import Visit
from console.guard import Missing, Pages
from console.pages.lists import list_page
from console.reads.reserves import BREAKS, DAYS, MISMATCHES, MISMATCHES_BY_AIRCRAFT
from console.roles import STAFF
from console.wording import words
from fleet.zones import local_date
from services.reserves.desk import reads
from services.reserves.desk.objects import numbered

pages = Pages()

SIDES: Final = {"stripe": "Stripe", "books": "the books"}


@pages.get("/reconciliation", STAFF)
async def days(visit: Visit) -> Response:
    return await list_page(visit, DAYS)


@pages.get("/reconciliation/breaks", STAFF)
async def breaks(visit: Visit) -> Response:
    return await list_page(visit, BREAKS)


@pages.get("/reconciliation/breaks/{number}", STAFF)
async def one_break(visit: Visit, number: str) -> Response:
    """One break: its rows of Stripe's and its journals, what is proposed, who accepted it."""
    named = numbered(number)
    if named is None:
        raise Missing
    async with visit.reading() as tx:
        found = await reads.reconciliation.one_break(tx, named)
    if found is None:
        raise Missing
    open_now = found["state"] != "closed" and found["proposal"]["kind"] != "wait"
    acts = catalogue.allowed(visit.person, "accept_break") if open_now else []
    return visit.page("break.html", found=found, acts=acts)


@pages.get("/reconciliation/flights", STAFF)
async def mismatches(visit: Visit) -> Response:
    acts = catalogue.allowed(visit.person, "compare_flights")
    return await list_page(visit, MISMATCHES, template="mismatches.html", acts=acts)


@pages.get("/reconciliation/flights/by-aircraft", STAFF)
async def by_aircraft(visit: Visit) -> Response:
    return await list_page(visit, MISMATCHES_BY_AIRCRAFT)


@pages.get("/reconciliation/flights/{number}", STAFF)
async def one_mismatch(visit: Visit, number: str) -> Response:
    """One flight that does not agree: with what, for how much money, and the reason that a person gave."""
    named = numbered(number)
    if named is None:
        raise Missing
    async with visit.reading() as tx:
        found = await reads.mismatches.one(tx, named)
    if found is None:
        raise Missing
    acts = catalogue.allowed(visit.person, "explain_mismatch") if found["state"] != "closed" else []
    return visit.page("mismatch.html", found=found, acts=acts)


@pages.get("/reconciliation/{day}", STAFF)
async def day(visit: Visit, day: date) -> Response:
    """One business date: both sides, what moved, what is left, and its signature."""
    async with visit.reading() as tx:
        rows = await reads.reconciliation.day(tx, day)
    if not rows:
        raise Missing
    is_over = day < local_date(visit.console.clock(), visit.school.zone)
    signed = rows[0]["signed_at"] is not None
    acts = catalogue.allowed(visit.person, "compare_day", *(("sign_day",) if is_over else ()))
    return visit.page(
        "day.html",
        day=day,
        rows=rows,
        sides={row["currency"]: [_side(row, side) for side in SIDES] for row in rows},
        moved={row["currency"]: [_moved(one) for one in row["movements"]] for row in rows},
        acts=[] if signed else acts,
    )


def _side(row: dict[str, Any], side: str) -> dict[str, Any]:
    moved = {name: row[f"{side}_{name}"] for name in ("opening", "moved", "closing", "as_of")}
    return {"side": SIDES[side], "currency": row["currency"], **moved}


def _moved(one: dict[str, Any]) -> dict[str, Any]:
    """A kind of movement of a side: how many, and what they came to."""
    amounts = {name: one.get(name) for name in ("amount", "fee", "net")}
    side = SIDES.get(one["side"], one["side"])
    return {"side": side, "name": words(one["name"]), "count": one["number"], **amounts}
