"""Dead letters: records that a service could not process."""

from uuid import UUID

from fastapi.responses import Response

from console import catalogue
from console.context import Visit
from console.guard import Missing, Pages
from console.mending import mend_of
from console.pages.lists import list_page
from console.reads import letters as reads
from console.roles import STAFF

pages = Pages()


@pages.get("/dead", STAFF)
async def letters(visit: Visit) -> Response:
    async with visit.reading() as tx:
        groups = await reads.groups(tx)
    acts = catalogue.allowed(visit.person, "redrive", "discard")
    return await list_page(visit, reads.LETTERS, template="letters.html", acts=acts, groups=groups)


@pages.get("/dead/{service}/{letter_id}", STAFF)
async def letter(visit: Visit, service: str, letter_id: UUID) -> Response:
    """One letter: what it is about and what is wrong. Its payload is for `hobbs dead show --payload`."""
    async with visit.reading() as tx:
        found = await reads.letter(tx, service, letter_id)
    if found is None:
        raise Missing
    acts = catalogue.allowed(visit.person, "redrive", "discard") if found["state"] == "open" else []
    return visit.page("letter.html", found=found, acts=acts, mend=mend_of(found["reason"]))
