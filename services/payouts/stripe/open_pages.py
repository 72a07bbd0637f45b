"""Close the pages by which a student may pay, and find what they paid, before money is asked otherwise.

Decision 0385. Stripe is asked, since it alone knows what was paid a moment ago: its webhooks come later.
"""

from collections.abc import Sequence
from datetime import datetime

from fleet.database import Database
from services.payouts import store
from services.payouts.domain.answers import StripeAnswer, StripeVerdict, classify
from services.payouts.domain.endpoints import Endpoint
from services.payouts.domain.open_pages import LOOKED_BACK, PAID_BY_PAGE, Pages, pages_in
from services.payouts.domain.operations import Kind, Operation, Phase, names_operation
from services.payouts.stripe.client import StripeClient
from services.payouts.stripe.pacer import Pace

_PAID = "the student has paid by a page, and this was decided before it was in their account"


async def stands_against(
    db: Database, client: StripeClient, pace: Pace, operation: Operation
) -> StripeAnswer | None:
    """Close the open pages of a student who is about to be charged; why it cannot be sent now, None: it can.

    Other operations have no pages. A charge that was sent before is never refused here: it may be made.
    """
    if operation.kind is not Kind.CHARGE or operation.phase is Phase.LOOK_UP:
        return None
    async with db.transaction() as tx:
        own = await store.existing_customers.customer_of(tx, operation.wallet)
    customers = sorted({str(operation.params["customer"]), *([own] if own else [])})
    found = await closed(client, pace, customers, operation.first_sent_at)
    if isinstance(found, StripeAnswer):
        return found
    async with db.transaction() as tx:
        missing = await store.charges.not_counted(tx, found, operation.id)
    if not missing:
        return None
    if operation.attempts > 1 or not await _is_unsent(client, pace, operation):
        return StripeAnswer(status=None, problem=_PAID)
    return StripeAnswer(status=402, body={"error": {"code": PAID_BY_PAGE, "message": _PAID}})


async def _is_unsent(client: StripeClient, pace: Pace, operation: Operation) -> bool:
    """Whether Stripe has nothing of a charge: the database may be a backup of before it was sent."""
    lane = pace.of(Endpoint.CHARGES_MADE)
    await lane.turn()
    answer = await client.look_up(operation, lane.turn)
    if classify(answer) is not StripeVerdict.DONE:
        return False
    return not any(names_operation(one) == str(operation.id) for one in answer.body["data"])


async def closed(
    client: StripeClient, pace: Pace, customers: Sequence[str], now: datetime, bill: str | None = None
) -> Sequence[str] | StripeAnswer:
    """Close the open pages of these customers; what was paid on others, or an answer that says nothing.

    Whoever pays at the same moment is found by reading the pages again.
    """
    for again in (False, True):
        paid: list[str] = []
        left: list[str] = []
        for customer in customers:
            pages = await _pages(client, pace, customer, now, bill)
            if isinstance(pages, StripeAnswer):
                return pages
            paid += pages.paid
            left += pages.open
        if not left:
            return paid
        for page in [] if again else left:
            await pace.of(Endpoint.CLOSE_CHECKOUT).turn()
            pace.heard(Endpoint.CLOSE_CHECKOUT, await client.close_page(page))
    return StripeAnswer(status=None, problem="a page by which the student may pay could not be closed")


async def _pages(
    client: StripeClient, pace: Pace, customer: str, now: datetime, bill: str | None
) -> Pages | StripeAnswer:
    await pace.of(Endpoint.CHECKOUT_PAGES).turn()
    answer = await client.pages_of(customer, now - LOOKED_BACK)
    pace.heard(Endpoint.CHECKOUT_PAGES, answer)
    if classify(answer) is StripeVerdict.DONE:
        return pages_in(answer.body["data"], bill)
    return StripeAnswer(
        status=None, problem=f"the student's pages could not be read: {answer.sentence}"[:500]
    )
