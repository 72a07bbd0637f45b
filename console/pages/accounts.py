"""Students' accounts: what is owed by age, and item by item."""

from fastapi.responses import Response

from console.context import Visit
from console.guard import Pages
from console.pages.lists import list_page
from console.reads.accounts import AGEING, ITEMS
from console.roles import STAFF

pages = Pages()


@pages.get("/accounts", STAFF)
async def ageing(visit: Visit) -> Response:
    return await list_page(visit, AGEING)


@pages.get("/accounts/items", STAFF)
async def items(visit: Visit) -> Response:
    return await list_page(visit, ITEMS)
