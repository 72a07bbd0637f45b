"""Students' accounts: what is owed by age, and item by item."""

from urllib.parse import quote

from fastapi.responses import RedirectResponse, Response

from console.context import Visit
from console.guard import Pages
from console.pages.lists import list_page
from console.reads.accounts import AGEING, ITEMS
from console.roles import STAFF

pages = Pages()


@pages.get("/accounts", STAFF)
async def ageing(visit: Visit) -> Response:
    return await list_page(visit, AGEING)


@pages.get("/documents/{document:path}", STAFF)
async def document(visit: Visit, document: str) -> Response:
    """To what an open item is of: the flight, the payment, what was given by hand, or else the journal."""
    kind, _, name = document.partition(":")
    places = {
        "flight": "/flights/",
        "charge": "/payments/",
        "recorded": "/payments/by-hand/",
        "note": "/notes/",
    }
    address = places.get(kind, "/journals/") + quote(name if kind in places else document, safe="")
    return RedirectResponse(address, status_code=303)


@pages.get("/accounts/items", STAFF)
async def items(visit: Visit) -> Response:
    return await list_page(visit, ITEMS)
