"""Make the pages where students save a payment method or pay: only this service has Stripe's key.

A page moves no money by itself, so it is no operation. Its customer is made under a key that names the
student: asked for again within a day, it is the same one; later there may be a second, which harms nobody,
since what is saved or paid names the student.
"""

from collections.abc import Callable
from datetime import datetime

from fleet.database import Database
from services.payouts import store, wire
from services.payouts.domain.answers import StripeAnswer, StripeVerdict, classify
from services.payouts.domain.endpoints import Endpoint
from services.payouts.domain.odd_objects import OddField
from services.payouts.domain.student_links import StudentLink, new_customer, page
from services.payouts.stripe.client import StripeClient
from services.payouts.stripe.pacer import Pace


async def answer_student_links(
    db: Database, client: StripeClient, pace: Pace, return_url: str, clock: Callable[[], datetime]
) -> int:
    """Make the pages that people wait for, or note why Stripe refused; how many there were."""
    async with db.transaction() as tx:
        requests = await store.student_links.open_requests(tx)
    for link in requests:
        answer = await _make(db, client, pace, return_url, clock, link)
        url, expires = answer.body.get("url"), _expiry(answer)
        done = classify(answer) is StripeVerdict.DONE and isinstance(url, str) and expires is not None
        async with db.transaction() as tx:
            await store.student_links.answer(
                tx,
                link.id,
                now=clock(),
                url=str(url) if done else None,
                expires_at=expires if done else None,
                problem=None if done else answer.sentence,
            )
    return len(requests)


async def _make(
    db: Database,
    client: StripeClient,
    pace: Pace,
    return_url: str,
    clock: Callable[[], datetime],
    link: StudentLink,
) -> StripeAnswer:
    customer = link.customer
    if customer is None:
        await pace.of(Endpoint.MAKE_CUSTOMER).turn()
        made = await client.make_customer(new_customer(link), f"customer:{link.wallet}")
        if classify(made) is not StripeVerdict.DONE:
            return made
        customer = str(made.body["id"])
        async with db.transaction() as tx:
            await store.student_links.keep_customer(tx, link.wallet, customer, clock())
    await pace.of(Endpoint.CHECKOUT).turn()
    return await client.checkout(page(link, customer, return_url))


def _expiry(answer: StripeAnswer) -> datetime | None:
    try:
        return wire.fields.moment(answer.body, "expires_at")
    except OddField:
        return None
