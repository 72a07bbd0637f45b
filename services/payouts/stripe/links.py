"""Make the onboarding and dashboard links that people asked for: only this service has Stripe's key.

A link moves no money and lives for minutes, so it is no operation.
"""

from collections.abc import Callable
from datetime import datetime

from fleet.database import Database
from fleet.envelope import first_cause
from services.payouts import store, wire
from services.payouts.domain.answers import StripeAnswer, StripeVerdict, classify
from services.payouts.domain.endpoints import Endpoint
from services.payouts.domain.odd_objects import OddField
from services.payouts.domain.payees import LinkRequest
from services.payouts.domain.rereads import RereadKind, RereadRequest
from services.payouts.settings import PayoutsSettings
from services.payouts.stripe.client import StripeClient
from services.payouts.stripe.pacer import Pace


async def answer_links(
    db: Database, client: StripeClient, pace: Pace, settings: PayoutsSettings, clock: Callable[[], datetime]
) -> int:
    """Make the links that people wait for, or note why Stripe refused; how many there were.

    Who asks for a link is about to change the account: it is read again soon, also without a webhook.
    """
    async with db.transaction() as tx:
        requests = await store.links.open_requests(tx)
    for request in requests:
        answer = await _make(client, pace, settings, request)
        url, expires = answer.body.get("url"), _expiry(answer)
        done = classify(answer) is StripeVerdict.DONE and isinstance(url, str)
        async with db.transaction() as tx:
            await store.links.answer(
                tx,
                request.id,
                now=clock(),
                url=url if done else None,
                expires_at=expires if done else None,
                problem=None if done else answer.sentence,
            )
            if done and request.stripe_account is not None:
                soon = RereadRequest(
                    kind=RereadKind.ACCOUNT,
                    object_id=request.stripe_account,
                    trace=first_cause(),
                    after=clock() + settings.schedule.rechecks.unready.first,
                )
                await store.rereads.request(tx, [soon], clock())
    return len(requests)


async def _make(
    client: StripeClient, pace: Pace, settings: PayoutsSettings, request: LinkRequest
) -> StripeAnswer:
    if request.stripe_account is None:
        return StripeAnswer(status=None, problem="the payee has no Stripe account yet; it is made by itself")
    dashboard = request.kind == "dashboard"
    await pace.of(Endpoint.DASHBOARD_LINK if dashboard else Endpoint.ONBOARDING_LINK).turn()
    if dashboard:
        return await client.dashboard_link(request.stripe_account)
    return await client.onboarding_link(
        request.stripe_account,
        return_url=settings.stripe_onboarding_return_url,
        refresh_url=settings.stripe_onboarding_refresh_url,
        api=settings.stripe_accounts,
    )


def _expiry(answer: StripeAnswer) -> datetime | None:
    """When a link expires; a dashboard link does not say."""
    try:
        return wire.fields.moment(answer.body, "expires_at")
    except OddField:
        return None
