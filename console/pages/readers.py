"""Readers: how far each service is behind what was published, and how old the oldest unread record is."""

from datetime import datetime
from typing import Any

from fastapi.responses import Response

from console.context import Visit
from console.guard import Pages
from console.readers import NoAnswer, Readers
from console.reads import letters
from console.reads.positions import positions
from console.roles import STAFF

pages = Pages()


@pages.get("/readers", STAFF)
async def readers(visit: Visit) -> Response:
    """Each service with all that it reads together, then each topic that it reads."""
    async with visit.reading() as tx:
        groups = await letters.groups(tx)
    found, as_of, problem = await looked(visit)
    now = visit.console.clock()
    of_service = {
        name: sum(one["number"] for one in groups if one["service"] == name)
        for name in {one["service"] for one in groups}
    }
    return visit.page(
        "readers.html",
        services=[row | {"letters": of_service.get(row["service"], 0)} for row in found.by_service(now)],
        places=sorted(found.places, key=lambda one: (one.service, -one.waiting, one.topic)),
        problem=problem,
        as_of=as_of,
    )


async def looked(visit: Visit) -> tuple[Readers, datetime, str]:
    """How far the readers are, when that was asked, and why nobody knows."""

    async def look() -> tuple[Readers, str]:
        async with visit.reading() as tx:
            written: list[dict[str, Any]] = await positions(tx)
        try:
            return await visit.console.lookout.look(written), ""
        except NoAnswer as none:
            return Readers(places=(), processes={}), str(none)

    (found, problem), as_of = await visit.console.recent.get("readers", look)
    return found, as_of, problem
