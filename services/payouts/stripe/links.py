"""Onboarding and dashboard links for people at the command line: this process alone has Stripe's key.

A link moves no money and lives for minutes, so it is no operation: asked for, made, or refused in a sentence.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Row

from fleet.database import Database
from services.payouts import store
from services.payouts.domain.answers import Answer, Verdict, classify
from services.payouts.settings import PayoutsSettings
from services.payouts.stripe.client import StripeGateway


async def answer_links(
    db: Database, gateway: StripeGateway, settings: PayoutsSettings, clock: Callable[[], datetime]
) -> int:
    """Make the links that are asked for; how many there were."""
    async with db.transaction() as tx:
        requests = await store.payees.open_links(tx)
    for request in requests:
        answer = await _make(gateway, settings, request)
        done = classify(answer) is Verdict.DONE
        expires = answer.body.get("expires_at")
        async with db.transaction() as tx:
            await store.payees.answer_link(
                tx,
                request.id,
                now=clock(),
                url=str(answer.body["url"]) if done else None,
                expires_at=datetime.fromtimestamp(int(expires), UTC) if done and expires else None,
                problem=None if done else answer.sentence,
            )
    return len(requests)


async def _make(gateway: StripeGateway, settings: PayoutsSettings, request: Row[Any]) -> Answer:
    if request.stripe_account is None:
        return Answer(status=None, problem="the payee has no Stripe account yet; it is made by itself")
    if request.kind == "dashboard":
        return await gateway.dashboard_link(request.stripe_account)
    return await gateway.onboarding_link(
        request.stripe_account,
        return_url=settings.stripe_onboarding_return_url,
        refresh_url=settings.stripe_onboarding_refresh_url,
    )
