"""Who is asked for what is overdue, what would be asked today, and how everybody stands with their limits."""

from typing import Any, Final

from fastapi.responses import Response

from console.context import Visit
from console.guard import Pages
from console.pages.lists import file_form, file_of
from console.reads import credit
from console.reads import dunning as reads
from console.reads.by_name import LOOKED_FOR_MAX, PAGE, Part, everything, looked_for
from console.reads.tables import Listing, called
from console.roles import STAFF

pages = Pages()

NAME_CHARS_MAX: Final = 200
LISTED: Final = (
    "By name. The steps, their days and the quiet hours are in the school's book. Pause, or note a promise, "
    "on the student's page."
)
TODAY: Final = "What follows today for each if nothing is paid: it is asked at the hour shown, once."
CREDIT: Final = "By name. Who came near a limit, and when, is on the list of limits crossed."


@pages.get("/dunning", STAFF)
async def listed(visit: Visit, after: str = "") -> Response:
    """Who is asked, the step that was last, what stops it, and the step that follows."""
    return await _answer(visit, reads.LISTED, reads.listed, after, PAGE, LISTED)


@pages.get("/dunning/today", STAFF)
async def today(visit: Visit, after: str = "") -> Response:
    """What would be asked of whom today if nothing changes."""
    return await _answer(visit, reads.TODAY, reads.today, after, reads.LOOKED_AT, TODAY)


@pages.get("/credit", STAFF)
async def credits(visit: Visit, after: str = "") -> Response:
    """How far each student uses their limit."""
    return await _answer(visit, credit.CREDIT, credit.standing, after, PAGE, CREDIT)


async def _answer(visit: Visit, listing: Listing, read: Part, after: str, most: int, about: str) -> Response:
    now = visit.console.clock()
    begin = after if len(after) <= NAME_CHARS_MAX else ""
    text = visit.request.query_params.get("f.student", "").strip()[:NAME_CHARS_MAX]
    form, last, only = file_form(visit), None, None
    async with visit.reading() as tx:
        if text:
            only = await looked_for(tx, text, called(visit.school.people, text, "student:"))
        if form:
            rows = await everything(tx, now, read, only)
        else:
            rows, last = await read(tx, now, begin, most if only is None else LOOKED_FOR_MAX, only)
    if form:
        return await file_of(listing, rows, visit.school.zone, form)
    shown: dict[str, Any] = {"listing": listing, "rows": rows, "last": last, "begin": begin, "about": about}
    shown |= {"text": text, "last": None if text else last, "cut": only and len(only) == LOOKED_FOR_MAX}
    return visit.page("by_name.html", **shown)
