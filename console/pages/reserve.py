"""The school's reserve at Stripe: how it stands term by term, its alerts, and who opened its gate."""

from typing import Any

from fastapi.responses import Response

from console import catalogue
from console.context import Visit
from console.guard import Pages
from console.roles import STAFF
from services.reserves.desk import reads

pages = Pages()


@pages.get("/reserve", STAFF)
async def reserve(visit: Visit) -> Response:
    now = visit.console.clock()
    async with visit.reading() as tx:
        stands = await reads.reserve.stands(tx, now)
        alerts = await reads.alerts.list_alerts(tx, every=False)
        openings = await reads.alerts.list_openings(tx)
    for opening in openings:
        opening["standing"] = standing_of(opening, over=opening["until"] <= now)
    return visit.page(
        "reserve.html",
        stands=stands,
        alerts=alerts,
        openings=openings[:50],
        acts={
            name: catalogue.allowed(visit.person, name)
            for name in ("acknowledge_alert", "open_gate", "approve_opening", "close_opening")
        },
    )


def standing_of(opening: dict[str, Any], *, over: bool) -> str:
    """What an opening is now: ended by a person, over, waiting for a second person, or in force."""
    if opening["closed_at"] is not None:
        return "ended"
    if over:
        return "over"
    return "waiting" if opening["needs_second"] and opening["approved_at"] is None else "in_force"
