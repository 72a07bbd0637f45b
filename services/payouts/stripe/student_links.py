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
from services.payouts.store.charges import is_under_way
from services.payouts.stripe import open_pages
from services.payouts.stripe.client import StripeClient
from services.payouts.stripe.pacer import Pace

_CHARGED = "their saved card or bank account is being charged; they would pay twice"
_PAID = "they have paid by a page, and it is not in their account yet; they would pay twice"


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
            # A charge that was ordered since looks for pages after its commit, and finds this one.
            if overtaken := done and link.amount is not None and await is_under_way(tx, link.wallet):
                done = False
            await store.student_links.answer(
                tx,
                link.id,
                now=clock(),
                url=str(url) if done else None,
                expires_at=expires if done else None,
                problem=None if done else _CHARGED if overtaken else answer.sentence,
            )
        if overtaken:
            await client.close_page(str(answer.body["id"]))  # nobody has its address
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
    if link.amount is not None:
        problem = await _stands_against(db, client, pace, customer, clock(), link)
        if problem is not None:
            return StripeAnswer(status=None, problem=problem)
    await pace.of(Endpoint.CHECKOUT).turn()
    return await client.checkout(page(link, customer, return_url))


async def _stands_against(
    db: Database, client: StripeClient, pace: Pace, customer: str, now: datetime, link: StudentLink
) -> str | None:
    """Close the student's open pages for the same bills; why they cannot be asked anew, None: they can."""
    async with db.transaction() as tx:
        if await is_under_way(tx, link.wallet):
            return _CHARGED
    found = await open_pages.closed(client, pace, [customer], now, link.bill)
    if isinstance(found, StripeAnswer):
        return found.sentence
    async with db.transaction() as tx:
        return _PAID if await store.charges.not_counted(tx, found) else None


def _expiry(answer: StripeAnswer) -> datetime | None:
    try:
        return wire.fields.moment(answer.body, "expires_at")
    except OddField:
        return None
