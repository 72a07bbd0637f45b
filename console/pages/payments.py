"""Payments: by card, without a student, disputed; by hand, and what went to the bank."""

from typing import Any
from uuid import UUID

from fastapi.responses import Response

from console import catalogue
from console.context import Visit
from console.guard import Missing, Pages
from console.pages.lists import list_page
from console.reads.books import DISPUTES, PAYMENTS, UNALLOCATED
from console.reads.recorded import DEPOSITS, RECORDED
from console.roles import STAFF
from fleet.zones import local_date
from services.receivables.desk import reads
from services.receivables.desk.reads import recorded

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


@pages.get("/payments/by-hand", STAFF)
async def by_hand(visit: Visit) -> Response:
    acts = catalogue.allowed(visit.person, "deposit_payments")
    today = local_date(visit.console.clock(), visit.school.zone).isoformat()
    return await list_page(visit, RECORDED, template="recorded_list.html", acts=acts, today=today)


@pages.get("/payments/by-hand/{payment_id}", STAFF)
async def one_by_hand(visit: Visit, payment_id: UUID) -> Response:
    """One payment that a person recorded: where it stands, and what was said of it."""
    async with visit.reading() as tx:
        found = await recorded.payment(tx, payment_id)
        history = await recorded.history(tx, payment_id)
    if found is None:
        raise Missing
    acts = catalogue.allowed(visit.person, *_may_be_said(found))
    return visit.page("recorded.html", found=found, history=history[::-1], acts=acts)


def _may_be_said(found: dict[str, Any]) -> list[str]:
    """The acts that receivables would not refuse by where the payment stands."""
    state, deposited = found["state"], found["deposit"] is not None
    at_the_bank = deposited and found["method"] == "cheque"
    return [
        *(["approve_payment"] if state == "waits" else []),
        *(["clear_cheque"] if state == "held" and at_the_bank else []),
        *(["bounce_cheque"] if state in ("held", "received") and at_the_bank else []),
        *(["revert_payment"] if state in ("waits", "held", "received") and not deposited else []),
    ]


@pages.get("/payments/deposits", STAFF)
async def deposits(visit: Visit) -> Response:
    return await list_page(visit, DEPOSITS)


@pages.get("/payments/deposits/{deposit_id}", STAFF)
async def deposit(visit: Visit, deposit_id: UUID) -> Response:
    """What was brought to the bank together."""
    async with visit.reading() as tx:
        found = await recorded.deposit(tx, deposit_id)
        held = await recorded.deposited(tx, deposit_id)
    if found is None:
        raise Missing
    acts = [] if found["reverted_at"] else catalogue.allowed(visit.person, "revert_deposit")
    return visit.page("deposit.html", found=found, held=held, acts=acts)


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
