"""What Stripe tells of refunds that wait and of authorizations that are given back, taken as it tells it.

The events are the simulator's own; what the books have of Stripe's balance is what its rows say.
"""

import json
import random
from datetime import UTC, datetime
from typing import Any

import stripe

from fleet.database import Database
from fleet.envelope import Record
from hobbs.local.stripe_sim.control import Control
from schemas.stripe_webhooks import StripeWebhook
from services.receivables.handlers import take_stripe_events
from tests.integration.receivables.stories import dead_reasons, wallets
from tests.support.records import record
from tests.support.stripe import StripeSim

DAY_S = 86_400
STUDENT_MONEY = {"charge", "refund", "refund_failure"}


def as_published(event: dict[str, Any]) -> Record:
    """An event of the simulator as the gateway publishes it."""
    told = datetime.fromtimestamp(event["created"], UTC)
    webhook = StripeWebhook(
        event_id=event["id"],
        event_type=event["type"],
        endpoint="connect" if event.get("account") else "platform",
        account=event.get("account"),
        livemode=False,
        created_at=told,
        received_at=told,
        attested=True,
        body=json.dumps(event),
    )
    return record("stripe.webhook", webhook, ce_id=event["id"], ce_source="stripe")


async def test_refunds_that_wait_and_authorizations_given_back_are_booked_as_they_moved(
    db: Database, stripe_sim: StripeSim
) -> None:
    http = stripe.RequestsClient(timeout=10)
    client = stripe.StripeClient(
        stripe_sim.secret_key, base_addresses={"api": stripe_sim.api_base}, http_client=http
    )
    with Control(stripe_sim.api_base) as control:
        _pay_and_give_back(client, control)
        events = [as_published(event) for event in control.events()]
        moved = client.v1.balance_transactions.list({"limit": 100}).data
    http.close()  # type: ignore[no-untyped-call]
    at_stripe = sum(one.amount for one in moved if one.type in STUDENT_MONEY)
    random.Random(7).shuffle(events)
    for event in events:
        await take_stripe_events(db, [event])
    assert await dead_reasons(db) == []
    assert await wallets(db) == {"student:anna": at_stripe, "external:stripe": -at_stripe}
    assert at_stripe == 10_000 - 2_500 + 6_000 - 1_000


def _pay_and_give_back(client: stripe.StripeClient, control: Control) -> None:
    """One payment whose refund waits and then moves, one that waits for good, three authorizations."""
    v1 = client.v1
    paid = _authorize(client, "automatic")
    v1.refunds.create({"payment_intent": paid, "amount": 2_500})
    control.fund(2_500)
    control.advance(1)
    v1.payment_intents.cancel(_authorize(client, "manual"))
    partly = _authorize(client, "manual")
    v1.payment_intents.capture(partly, {"amount_to_capture": 6_000})
    control.fund(1_000)
    v1.refunds.create({"payment_intent": partly, "amount": 1_000})
    assert v1.refunds.create({"payment_intent": partly, "amount": 5_000}).status == "pending"
    _authorize(client, "manual")
    control.set(charge_available_after_s=60 * DAY_S)


def _authorize(client: stripe.StripeClient, capture_method: str) -> str:
    given: dict[str, Any] = {
        "amount": 10_000,
        "currency": "usd",
        "payment_method": "pm_card_visa",
        "confirm": True,
        "capture_method": capture_method,
        "metadata": {"hobbs_student": "anna"},
    }
    return client.v1.payment_intents.create(given).id  # type: ignore[arg-type]
