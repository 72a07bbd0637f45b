"""Transfers: money on its way to payees."""

from uuid import UUID

from fastapi.responses import Response

from console import catalogue
from console.context import Visit
from console.guard import Missing, Pages
from console.pages.lists import list_page
from console.reads.transfers import TRANSFERS
from console.roles import STAFF
from services.payouts.desk import reads

pages = Pages()

RELEASABLE = ("hold_period", "account_changed")  # what is held for another reason goes by itself


@pages.get("/transfers", STAFF)
async def transfers(visit: Visit) -> Response:
    return await list_page(visit, TRANSFERS)


@pages.get("/transfers/{transfer_id}", STAFF)
async def transfer(visit: Visit, transfer_id: UUID) -> Response:
    """One transfer: why it waits, its history, its requests to Stripe, and the flights that it pays."""
    async with visit.reading() as tx:
        found = await reads.whole_transfer(tx, transfer_id)
    if found is None:
        raise Missing
    by_state = {
        "held": ("release", "cancel") if found["reason"] in RELEASABLE else ("cancel",),
        "refused": ("retry", "cancel"),
        "parked": ("retry", "cancel"),
        "pending": ("cancel",),
    }
    acts = catalogue.allowed(visit.person, *by_state.get(found["state"], ()))
    return visit.page("transfer.html", found=found, acts=acts)
