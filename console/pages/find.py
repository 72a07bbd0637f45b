"""Finding: a few words from any page, and what they may mean. One thing alone is opened at once."""

from typing import Any, Final
from urllib.parse import quote

from fastapi.responses import RedirectResponse, Response

from console.context import Visit
from console.guard import Pages
from console.reads import find
from console.roles import STAFF

pages = Pages()

CHARS_MAX: Final = 100
PEOPLE_MOST: Final = 30
PLACES: Final = {
    "flight": "/flights/",
    "correction": "/corrections/",
    "payment": "/payments/",
    "payment by hand": "/payments/by-hand/",
    "transfer": "/transfers/",
}


@pages.get("/find", STAFF)
async def found(visit: Visit, q: str = "") -> Response:
    """What these words may mean: people first, then what has this name, id or amount."""
    q = q.strip()[:CHARS_MAX]
    people: list[str] = []
    things: list[dict[str, Any]] = []
    if q:
        async with visit.reading() as tx:
            known = await find.wallets(tx, q)
            things = await find.things(tx, q, visit.school.currency)
        people = list(dict.fromkeys([*known, *find.people_called(q, visit.school.people)]))[:PEOPLE_MOST]
    rows = [one | {"href": PLACES[one["what"]] + quote(one["name"], safe="")} for one in things]
    named = [{"wallet": wallet, "href": place_of(wallet)} for wallet in people]
    if len(rows) + len(named) == 1:
        return RedirectResponse((rows or named)[0]["href"], status_code=303)
    return visit.page("find.html", q=q, people=named, things=rows)


def place_of(wallet: str) -> str:
    """The page that has most of a person: a student's, a payee's, or any other's wallet."""
    kind, _, key = wallet.partition(":")
    if kind == "student":
        return f"/students/{quote(key, safe='')}"
    room = "payees" if kind in ("instructor", "aircraft_owner") else "wallets"
    return f"/{room}/{quote(wallet, safe='')}"
