"""A listed event becomes what the gateway publishes, or says why it cannot."""

from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from fleet.inbox import Unreadable
from schemas.stripe_webhooks import StripeWebhook
from services.gateway.wire import read_webhook, stripe_event_id
from services.payouts import wire
from services.payouts.domain.event_types import LISTED_TYPES, PAYOUT_EVENTS, REVERSAL_EVENTS
from services.receivables.wire import stripe_objects
from services.receivables.wire.stripe_objects import Kind

NOW = datetime(2026, 11, 22, 16, tzinfo=UTC)
TYPES_MAX = 20  # docs.stripe.com/api/events/list
EVENT: dict[str, Any] = {
    "id": "evt_1",
    "object": "event",
    "type": "charge.succeeded",
    "livemode": False,
    "created": 1_779_451_200,
    "data": {"object": {"id": "ch_1", "object": "charge", "amount": 40_000}},
}


def of_type(name: str) -> StripeWebhook:
    return StripeWebhook(
        event_id="evt_1",
        event_type=name,
        endpoint="platform",
        livemode=False,
        created_at=NOW,
        received_at=NOW,
        attested=True,
        body="{}",
    )


def test_every_type_that_tells_of_students_money_is_listed() -> None:
    assert {*stripe_objects._FACTS} - {"charge.refund.updated"} <= {*LISTED_TYPES}
    assert len({*LISTED_TYPES}) == len(LISTED_TYPES) <= TYPES_MAX


@pytest.mark.parametrize("name", LISTED_TYPES)
def test_every_type_listed_is_one_that_somebody_acts_on(name: str) -> None:
    assert name in PAYOUT_EVENTS | REVERSAL_EVENTS or (stripe_objects.kind_of(of_type(name)) is Kind.HANDLED)


def test_listed_and_delivered_are_one_event_of_one_object_with_one_content() -> None:
    delivered = read_webhook(
        orjson.dumps(EVENT | {"api_version": "2019-01-01", "pending_webhooks": 2}),
        endpoint="platform",
        livemode=False,
        received_at=NOW,
    )
    listed = wire.missed_events.listed_event(EVENT | {"pending_webhooks": 1}, NOW)
    message = wire.missed_events.recovered(listed, NOW)
    assert listed.event_key == stripe_event_id("evt_1") == delivered.event_id
    assert (message.event_id, message.key, message.content) == (
        delivered.event_id,
        delivered.key,
        delivered.content,
    )
    heard = StripeWebhook.model_validate_json(message.body)
    rendered = {"body", "api_version"}  # each endpoint has a version of its own
    assert heard.model_dump(exclude=rendered) == delivered.event.model_dump(exclude=rendered)


@pytest.mark.parametrize(
    ("spoiled", "reason"),
    [
        ({"id": None}, "invalid"),
        ({"type": "x" * 300}, "invalid"),
        ({"livemode": "maybe"}, "invalid"),
        ({"created": None}, "invalid"),
        ({"created": 10**20}, "invalid"),
        ({"data": {"object": {"id": "ch_1", "failure_message": "\ud800"}}}, "invalid"),
        ({"data": {"object": {"id": "ch_1", "failure_message": "x" * 400_000}}}, "oversized"),
    ],
    ids=["no id", "type too long", "no mode", "no time", "far future", "no UTF-8", "too large"],
)
def test_what_cannot_be_published_says_so(spoiled: dict[str, Any], reason: str) -> None:
    with pytest.raises(Unreadable) as refused:
        wire.missed_events.listed_event(EVENT | spoiled, NOW)
    assert refused.value.reason == reason


def test_the_largest_event_that_is_taken_fits_into_a_record() -> None:
    quotes = '"' * 199_000  # each of them is four characters in the end
    listed = wire.missed_events.listed_event(
        EVENT | {"data": {"object": {"id": "ch_1", "failure_message": quotes}}}, NOW
    )
    assert len(wire.missed_events.recovered(listed, NOW).body) < 900_000
