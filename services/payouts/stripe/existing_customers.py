"""Take customers that exist at Stripe for students: read, marked, then written (decision 0390).

None is made, and no money moves. It is read and marked with no transaction open; asked again after a crash,
both do nothing more.
"""

from collections.abc import Callable
from datetime import datetime

from fleet.database import Database, Tx
from services.payouts import store
from services.payouts.domain.answers import StripeVerdict, classify
from services.payouts.domain.endpoints import Endpoint
from services.payouts.domain.existing_customers import CustomerRequest, is_marked, not_theirs
from services.payouts.domain.student_links import NAMED
from services.payouts.stripe.client import StripeClient
from services.payouts.stripe.pacer import Pace


async def adopt_customers(
    db: Database, client: StripeClient, pace: Pace, clock: Callable[[], datetime]
) -> int:
    """Take the customers that people named, or note why not; how many there were."""
    async with db.transaction() as tx:
        requests = await store.existing_customers.open_requests(tx)
    for request in requests:
        problem = await _read(client, pace, request)
        async with db.transaction() as tx:
            problem = problem or await _take(tx, request, clock())
            await store.existing_customers.answer(tx, request.id, problem, clock())
    return len(requests)


async def _read(client: StripeClient, pace: Pace, request: CustomerRequest) -> str | None:
    """Read a customer and mark it as the student's; what is wrong with it, None when nothing is."""
    await pace.of(Endpoint.CUSTOMER).turn()
    answer = await client.customer(request.customer)
    if classify(answer) is not StripeVerdict.DONE:
        return f"Stripe does not show {request.customer} to this platform: {answer.sentence}"
    if problem := not_theirs(request, answer.body):
        return problem
    if is_marked(request, answer.body):
        return None
    await pace.of(Endpoint.MARK_CUSTOMER).turn()
    marked = await client.mark_customer(request.customer, {NAMED: request.student})
    if classify(marked) is not StripeVerdict.DONE:
        return f"{request.customer} cannot be marked as the student's: {marked.sentence}"
    return None


async def _take(tx: Tx, request: CustomerRequest, now: datetime) -> str | None:
    """Write the customer as the student's, in the caller's transaction; why not, None when it is."""
    if (other := await store.existing_customers.wallet_of(tx, request.customer)) not in (
        None,
        request.wallet,
    ):
        return f"{request.customer} is the customer of {other}"
    await store.student_links.keep_customer(tx, request.wallet, request.customer, now)
    kept = await store.existing_customers.customer_of(tx, request.wallet)
    return None if kept == request.customer else f"{request.wallet} has {kept} already"
