"""Who is asked for what is overdue, what would be asked today, and how everybody stands with their limits."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from fastapi.responses import Response

from console.context import Visit
from console.guard import Pages
from console.pages.lists import Links, file_form, file_of
from console.reads import credit
from console.reads import dunning as reads
from console.reads.by_name import LOOKED_FOR_MAX, PAGE, SORTED_MAX, Part, everything, in_order, looked_for
from console.reads.tables import Listing, called, question
from console.roles import STAFF

pages = Pages()

NAME_CHARS_MAX: Final = 200
LISTED: Final = (
    "The steps, their days and the quiet hours are in the school's book. Pause, or note a promise, "
    "on the student's page."
)
TODAY: Final = "What follows today for each if nothing is paid: it is asked at the hour shown, once."
CREDIT: Final = "Who came near a limit, and when, is on the list of limits crossed."


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
    now, query = visit.console.clock(), visit.request.query_params
    begin = after if len(after) <= NAME_CHARS_MAX else ""
    text = query.get("f.student", "").strip()[:NAME_CHARS_MAX]
    asked = question(listing, {"sort": query.get("sort", "")})
    form, last, only, as_of = file_form(visit), None, None, None
    async with visit.reading() as tx:
        if text:
            only = await looked_for(tx, text, called(visit.school.people, text, "student:"))
        if asked.order != listing.order:
            rows, as_of = await _sorted(visit, listing, read, only, asked.order)
        elif form:
            rows = await everything(tx, now, read, only)
        else:
            rows, last = await read(tx, now, begin, most if only is None else LOOKED_FOR_MAX, only)
    if form:
        return await file_of(listing, rows, visit.school.zone, form)
    of_many = as_of is not None and len(rows) > SORTED_MAX
    if as_of is not None:
        place = int(begin) if begin.isascii() and begin.isdecimal() and len(begin) < 10 else 0
        last = str(place + PAGE) if place + PAGE < len(rows) else None
        rows = rows[place : place + PAGE]
    shown: dict[str, Any] = {"listing": listing, "rows": rows, "last": last, "begin": begin, "about": about}
    shown |= {"text": text, "last": None if text and as_of is None else last, "of_many": of_many}
    shown |= {"asked": asked, "links": Links(visit, asked, {"f.student": text} if text else {})}
    cut = only is not None and len(only) == LOOKED_FOR_MAX
    return visit.page("by_name.html", **shown, cut=cut, sorted_max=SORTED_MAX, as_of=as_of)


async def _sorted(
    visit: Visit, listing: Listing, read: Part, only: Sequence[str] | None, order: str
) -> tuple[list[dict[str, Any]], datetime]:
    """The rows of all who are looked for in an order that is not by name, and when they were read."""

    async def read_all() -> list[dict[str, Any]]:
        async with visit.reading() as tx:
            return await everything(tx, visit.console.clock(), read, only, most=SORTED_MAX)

    key = (listing.name, "by name", None if only is None else tuple(only))
    rows, as_of = await visit.console.recent.get(key, read_all)
    return in_order(rows, listing, order), as_of
