"""Payees: whom the school pays, and what keeps each from being paid."""

from fastapi.responses import Response

from console import catalogue
from console.context import Visit
from console.guard import Missing, Pages
from console.pages.lists import list_page
from console.reads.transfers import PAYEES
from console.roles import STAFF
from services.payouts.desk import reads

pages = Pages()


@pages.get("/payees", STAFF)
async def payees(visit: Visit) -> Response:
    return await list_page(visit, PAYEES)


@pages.get("/payees/{wallet:path}", STAFF)
async def payee(visit: Visit, wallet: str) -> Response:
    """One payee: status, account, what is stopped, and the newest transfers."""
    async with visit.reading() as tx:
        found = next(iter(await reads.list_payees(tx, removed=True, wallet=wallet)), None)
        if found is None:
            raise Missing
        stopped = await reads.list_stopped(tx, wallet=wallet)
        newest = await reads.list_transfers(tx, states=None, wallet=wallet, reason=None, most=20)
    acts = catalogue.allowed(visit.person, "unpark") if found["parked"] else []
    if not found["ready"]:
        acts += catalogue.allowed(visit.person, "onboarding_link")
    return visit.page("payee.html", found=found, stopped=stopped, newest=newest, acts=acts)
