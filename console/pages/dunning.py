"""Who is asked for what is overdue, and what would be asked today."""

from fastapi.responses import Response

from console.context import Visit
from console.guard import Pages
from console.pages.lists import file_form, file_of
from console.reads import dunning as reads
from console.reads.tables import Listing
from console.roles import STAFF

pages = Pages()

NAME_CHARS_MAX = 200


@pages.get("/dunning", STAFF)
async def listed(visit: Visit, after: str = "") -> Response:
    """Who is asked, the step that was last, what stops it, and the step that follows."""
    return await _answer(visit, reads.LISTED, reads.listed, after, reads.PAGE)


@pages.get("/dunning/today", STAFF)
async def today(visit: Visit, after: str = "") -> Response:
    """What would be asked of whom today if nothing changes."""
    return await _answer(visit, reads.TODAY, reads.today, after, reads.LOOKED_AT)


async def _answer(visit: Visit, listing: Listing, read: reads.Part, after: str, most: int) -> Response:
    now = visit.console.clock()
    begin = after if len(after) <= NAME_CHARS_MAX and "\x00" not in after else ""
    form, last = file_form(visit), None
    async with visit.reading() as tx:
        if form:
            rows = await reads.everything(tx, now, read)
        else:
            rows, last = await read(tx, now, begin, most)
    if form:
        return await file_of(listing, rows, visit.school.zone, form)
    return visit.page("dunning.html", listing=listing, rows=rows, last=last, begin=begin)
