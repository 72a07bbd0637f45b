"""Dead letters: records that a service could not process."""

from fastapi.responses import Response

from console.context import Visit
from console.guard import Pages
from console.pages.lists import list_page
from console.reads.letters import LETTERS
from console.roles import STAFF

pages = Pages()


@pages.get("/dead", STAFF)
async def letters(visit: Visit) -> Response:
    return await list_page(visit, LETTERS)
