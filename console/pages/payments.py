"""Card payments: received, without a student, disputed."""

from fastapi.responses import Response

from console import catalogue
from console.context import Visit
from console.guard import Missing, Pages
from console.pages.lists import list_page
from console.reads.books import DISPUTES, PAYMENTS, UNALLOCATED
from console.roles import STAFF
from services.receivables.desk import reads

pages = Pages()


@pages.get("/payments", STAFF)
async def payments(visit: Visit) -> Response:
    return await list_page(visit, PAYMENTS)


@pages.get("/payments/unallocated", STAFF)
async def unallocated(visit: Visit) -> Response:
    return await list_page(visit, UNALLOCATED)


@pages.get("/payments/disputes", STAFF)
async def disputes(visit: Visit) -> Response:
    return await list_page(visit, DISPUTES)


@pages.get("/payments/{charge_id}", STAFF)
async def payment(visit: Visit, charge_id: str) -> Response:
    """One payment, where it was before, and whose it is."""
    async with visit.reading() as tx:
        found = await reads.payment(tx, charge_id)
        moves = await reads.payment_moves(tx, charge_id)
        waiting = [one for one in await reads.unallocated_payments(tx) if one["charge_id"] == charge_id]
    if found is None:
        raise Missing
    names = ("allocate",) if waiting else ("move",) if found["student"] else ()
    return visit.page(
        "payment.html",
        found=found,
        moves=moves,
        waiting=waiting[0] if waiting else None,
        acts=catalogue.allowed(visit.person, *names),
    )
