"""Flights: billed, refused, one explained to the cent, and the rates behind them."""

from fastapi.responses import Response

from console import catalogue
from console.context import Visit
from console.guard import Missing, Pages
from console.pages.lists import list_page
from console.reads.flights import CARDS, FLIGHTS, REFUSED, parties_elsewhere
from console.roles import STAFF
from hobbs.check.recompute import explain_flight_in
from services.billing.desk import reads

pages = Pages()

REVISION_MAX = 2**31 - 1
NAME_CHARS_MAX = 200


@pages.get("/flights", STAFF)
async def flights(visit: Visit) -> Response:
    return await list_page(visit, FLIGHTS)


@pages.get("/flights/refused", STAFF)
async def refused(visit: Visit) -> Response:
    return await list_page(visit, REFUSED)


@pages.get("/flights/{flight_id:path}", STAFF)
async def flight(visit: Visit, flight_id: str, revision: str = "") -> Response:
    """A flight priced again from its readings and cards, and compared with the bill and the ledger."""
    wanted = int(revision) if revision.isascii() and revision.isdecimal() and len(revision) < 10 else None
    if len(flight_id) > NAME_CHARS_MAX:
        raise Missing
    async with visit.reading() as tx:
        found = await explain_flight_in(tx, flight_id, wanted)
        refused_now = await reads.refused_flights(tx, flight_id=flight_id)
        parties = await parties_elsewhere(tx, flight_id)
    if found is None and not refused_now:
        raise Missing
    named = [(one, visit.school.people.get(one, one), "") for one in parties]
    return visit.page(
        "flight.html",
        flight_id=flight_id,
        found=found,
        refused=refused_now,
        acts=catalogue.allowed(visit.person, "amend") if parties else [],
        values={"amounts": [(one, f"{name}: is owed this much more", text) for one, name, text in named]},
    )


@pages.get("/rates", STAFF)
async def rates(visit: Visit) -> Response:
    return await list_page(visit, CARDS)


@pages.get("/rates/{kind}/{key:path}", STAFF)
async def rate(visit: Visit, kind: str, key: str) -> Response:
    """Every version of a card: who changed what, when and why."""
    if len(kind) > NAME_CHARS_MAX or len(key) > NAME_CHARS_MAX:
        raise Missing
    async with visit.reading() as tx:
        history = await reads.card_history(tx, kind=kind, key=key)
    if not history:
        raise Missing
    return visit.page("rate.html", kind=kind, key=key, history=history[::-1])
