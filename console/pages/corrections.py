"""Corrections of billed flights: the queue, one of them side by side, and how they are settled."""

from datetime import datetime
from typing import Any
from uuid import UUID

from fastapi.responses import Response

from console import catalogue
from console.context import Visit
from console.forms import Act
from console.guard import Missing, Pages
from console.pages.lists import list_page
from console.reads.corrections import CORRECTIONS, SETTLEMENTS
from console.roles import STAFF
from services.adjustments.desk import reads

pages = Pages()

QUEUE_PAGE = 50
PARTIES = ("student", "instructor", "aircraft_owner")  # the others are settled in the books


@pages.get("/corrections", STAFF)
async def queue(visit: Visit, after: str = "") -> Response:
    """What waits for approval, the oldest first, with what is lost by waiting."""
    async with visit.reading() as tx:
        rows = await reads.queue(tx, after=_after(after), most=QUEUE_PAGE + 1)
    more = rows[QUEUE_PAGE - 1] if len(rows) > QUEUE_PAGE else None
    return visit.page(
        "queue.html",
        rows=rows[:QUEUE_PAGE],
        next_page=f"{more['waiting_since'].isoformat()} {more['id']}" if more else None,
        acts=catalogue.allowed(visit.person, "approve", "reject"),
    )


def _after(text: str) -> tuple[datetime, UUID] | None:
    """Where the last page ended; None for the first page, and for a damaged link."""
    instant, _, row = text.partition(" ")
    try:
        at = datetime.fromisoformat(instant)
        return (at, UUID(row)) if at.tzinfo else None
    except ValueError:
        return None


@pages.get("/corrections/all", STAFF)
async def every(visit: Visit) -> Response:
    return await list_page(visit, CORRECTIONS)


@pages.get("/settlements", STAFF)
async def settlements(visit: Visit) -> Response:
    return await list_page(visit, SETTLEMENTS)


@pages.get("/corrections/{name:path}", STAFF)
async def correction(visit: Visit, name: str) -> Response:
    """One correction: each party before and after, both computations, approvals, settlements, history."""
    async with visit.reading() as tx:
        found = await reads.whole(tx, name) if len(name) <= 200 else None
    if found is None:
        raise Missing
    return visit.page(
        "correction.html",
        found=found,
        acts=_acts(visit, found),
        whose=_whose(visit, found),
        computations=[_readable(row) for row in found["computations"]],
    )


def _acts(visit: Visit, found: dict[str, Any]) -> list[Act]:
    by_state = {
        "waiting": ("approve", "reject"),
        "failed": ("approve", "reject"),
        "settling": ("settle", "claw_back"),
        "settled": ("settle",),
    }
    return catalogue.allowed(visit.person, *by_state.get(found["state"], ()))


def _whose(visit: Visit, found: dict[str, Any]) -> list[tuple[str, str]]:
    """The parties whose part of a correction can be settled otherwise, by their names."""
    people = visit.school.people
    wallets = [one["wallet"] for one in found["parties"] if one["wallet"].partition(":")[0] in PARTIES]
    return [(one, f"{people[one]} ({one})" if one in people else one) for one in wallets]


def _readable(row: dict[str, Any]) -> dict[str, Any]:
    """Meters and hours, which have no currency, as people write them."""
    if "currency" in row:
        return row
    return row | {side: _hours(row[side]) for side in ("before", "after")} | {"currency": None}


def _hours(value: Any) -> Any:
    return f"{value // 10}.{value % 10}" if isinstance(value, int) and not isinstance(value, bool) else value
