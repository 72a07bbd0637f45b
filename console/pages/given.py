"""Limits that change by policy, and what is given of a student's account besides payments."""

from uuid import UUID

from fastapi.responses import Response

from console import catalogue
from console.context import Visit
from console.guard import Missing, Pages
from console.pages.lists import list_page
from console.reads import given
from console.roles import STAFF

pages = Pages()


@pages.get("/credit/changes", STAFF)
async def limit_changes(visit: Visit) -> Response:
    return await list_page(visit, given.LIMIT_CHANGES)


@pages.get("/credit/changes/{change_id}", STAFF)
async def limit_change(visit: Visit, change_id: UUID) -> Response:
    """One change of a limit: what speaks for it, and who has said what."""
    async with visit.reading() as tx:
        found = await given.limit_change(tx, change_id)
    if found is None:
        raise Missing
    names = ("accept_limit", "refuse_limit") if found["state"] in ("proposed", "waits") else ()
    return visit.page("limit_change.html", found=found, acts=catalogue.allowed(visit.person, *names))


@pages.get("/notes", STAFF)
async def notes(visit: Visit) -> Response:
    return await list_page(visit, given.NOTES)


@pages.get("/notes/{note_id}", STAFF)
async def note(visit: Visit, note_id: UUID) -> Response:
    """One refund, credit note, write-off or fee: where it stands, and who asked and agreed."""
    async with visit.reading() as tx:
        found = await given.note(tx, note_id)
    if found is None:
        raise Missing
    names = {"waits": ("approve_note", "refuse_note"), "posted": ("revert_note",)}.get(found["state"], ())
    return visit.page("note.html", found=found, acts=catalogue.allowed(visit.person, *names))
