"""Webhooks: signatures, endpoints, retries, and reordering on demand.

Sources: docs.stripe.com/webhooks (signatures, retries for three days with exponential back off, no order,
duplicates), docs.stripe.com/connect/webhooks (Connect endpoints and `account`).
"""

import hashlib
import hmac
import json
import time
from collections.abc import Callable
from itertools import pairwise

import pytest
import stripe

from hobbs.local.stripe_sim.control import Control
from hobbs.local.stripe_sim.delivery import RETRY_AFTER_S, wait_s
from hobbs.local.stripe_sim.settings import Settings
from tests.contract.stripe.conftest import new_payee
from tests.contract.stripe.receiver import Arrival, Receiver, eventually


def of_type(name: str) -> Callable[[Arrival], bool]:
    return lambda arrival: arrival.type == name


def test_a_webhook_verifies_with_the_secret_shown_at_creation(
    client: stripe.StripeClient, receiver: Receiver, control: Control
) -> None:
    """docs.stripe.com/api/webhook_endpoints/object: the secret is returned only at creation."""
    endpoint = client.v1.webhook_endpoints.create({"url": f"{receiver.url}/p", "enabled_events": ["*"]})
    assert endpoint.secret is not None
    assert client.v1.webhook_endpoints.retrieve(endpoint.id).to_dict().get("secret") is None
    control.trigger("payment_intent.succeeded", amount=1_234)
    arrival = receiver.wait_for(1, of_type("payment_intent.succeeded"))[0]
    event = arrival.event(endpoint.secret)
    assert event.data.object["amount"] == 1_234
    assert client.v1.events.retrieve(event.id).type == event.type
    with pytest.raises(stripe.SignatureVerificationError):
        arrival.event("whsec_wrong")


def test_the_signature_is_hmac_of_time_and_raw_body(receiver: Receiver, control: Control) -> None:
    """docs.stripe.com/webhooks."""
    control.add_endpoint(receiver.url, secret="whsec_x")
    control.trigger("customer.created")
    arrival = receiver.wait_for(1)[0]
    timestamp, signature = (part.split("=")[1] for part in arrival.signature.split(","))
    signed = timestamp.encode() + b"." + arrival.body
    assert hmac.new(b"whsec_x", signed, hashlib.sha256).hexdigest() == signature


def test_platform_and_connect_endpoints_get_their_own_events(
    client: stripe.StripeClient, receiver: Receiver, control: Control, payee: str
) -> None:
    """docs.stripe.com/connect/webhooks."""
    control.add_endpoint(f"{receiver.url}/platform", secret="whsec_p")
    control.add_endpoint(f"{receiver.url}/connect", secret="whsec_c", connect=True)
    control.fund(5_000)
    client.v1.transfers.create({"amount": 100, "currency": "usd", "destination": payee})
    sent = receiver.wait_for(1, of_type("transfer.created"))[0]
    arrived = receiver.wait_for(1, of_type("payment.created"))[0]
    assert (sent.path, arrived.path) == ("/platform", "/connect")
    assert "account" not in json.loads(sent.body)
    assert arrived.event("whsec_c").account == payee


def test_an_endpoint_gets_only_the_events_it_asked_for(
    client: stripe.StripeClient, receiver: Receiver, control: Control
) -> None:
    """docs.stripe.com/api/webhook_endpoints/create: enabled_events."""
    client.v1.webhook_endpoints.create({"url": receiver.url, "enabled_events": ["charge.succeeded"]})
    control.trigger("payment_intent.succeeded")
    control.trigger("payment_intent.succeeded")
    receiver.wait_for(2)
    assert {arrival.type for arrival in receiver.arrivals} == {"charge.succeeded"}


def test_a_refused_webhook_is_signed_anew_and_retried_until_it_is_taken(
    receiver: Receiver, control: Control
) -> None:
    """Each attempt has its own time and signature: docs.stripe.com/webhooks."""
    control.set(webhook_speed=3_000)
    control.add_endpoint(receiver.url, secret="whsec_x")
    receiver.answers += [503, 400]
    control.trigger("customer.created")
    arrivals = receiver.wait_for(3)
    assert len({arrival.body for arrival in arrivals}) == 1
    for arrival in arrivals:
        arrival.event("whsec_x")
    waits = [later.at - earlier.at for earlier, later in pairwise(arrivals)]
    assert waits[0] >= RETRY_AFTER_S[0] / 3_000
    assert waits[1] >= RETRY_AFTER_S[1] / 3_000
    eventually(lambda: control.deliveries()[0]["attempts"] == 3)


@pytest.mark.parametrize(
    ("attempts", "speed", "longest_s", "expected_s"),
    [
        (1, 1, 0, 5 * 60),
        (2, 1, 0, 30 * 60),
        (3, 1, 0, 2 * 3600),
        (4, 1, 0, 5 * 3600),
        (5, 1, 0, 10 * 3600),
        (6, 1, 0, 12 * 3600),
        (9, 1, 0, 12 * 3600),
        (1, 600, 0, 0.5),
        (6, 600, 5, 5),
    ],
)
def test_waits_grow_as_stripes_do(attempts: int, speed: float, longest_s: float, expected_s: float) -> None:
    """Three days with exponential back off; the steps are those observed at Stripe, rounded."""
    settings = Settings(webhook_speed=speed, webhook_retry_wait_max_s=longest_s)
    assert wait_s(attempts, settings) == expected_s


def test_an_undelivered_webhook_is_abandoned_after_three_days(receiver: Receiver, control: Control) -> None:
    """docs.stripe.com/webhooks."""
    control.set(webhook_speed=1_000_000, webhook_retry_wait_max_s=0)
    control.add_endpoint(receiver.url)
    receiver.answers += [500] * 200
    control.trigger("customer.created")
    eventually(lambda: control.deliveries()[0]["state"] == "abandoned")
    assert len(receiver.arrivals) > 2
    assert len(receiver.arrivals) == control.deliveries()[0]["attempts"]


def test_a_receiver_that_is_away_gets_everything_when_it_returns(
    receiver: Receiver, control: Control
) -> None:
    """docs.stripe.com/webhooks."""
    control.set(webhook_retry_wait_max_s=0.1)
    control.add_endpoint("http://127.0.0.1:9/nobody", secret="whsec_x")
    control.trigger("payment_intent.succeeded")
    control.advance(1)
    eventually(lambda: all(delivery["attempts"] for delivery in control.deliveries()))
    assert {delivery["last_status"] for delivery in control.deliveries()} == {"ConnectionRefusedError"}
    assert {delivery["state"] for delivery in control.deliveries()} == {"pending"}


def test_duplicates_on_demand_are_the_same_event_twice(receiver: Receiver, control: Control) -> None:
    """docs.stripe.com/webhooks."""
    control.set(webhook_duplicate=1.0, webhook_reorder_wait_s=0.05)
    control.add_endpoint(receiver.url)
    control.trigger("customer.created")
    first, second = receiver.wait_for(2)
    assert first.body == second.body


def test_lost_webhooks_never_arrive_and_are_counted(receiver: Receiver, control: Control) -> None:
    control.set(webhook_loss=0.5, webhook_seed=11)
    control.add_endpoint(receiver.url)
    for _ in range(10):
        control.trigger("customer.created")
    lost = len(control.deliveries(state="lost"))
    assert 0 < lost < 10
    receiver.wait_for(10 - lost)
    eventually(lambda: len(control.deliveries(state="delivered")) == 10 - lost)


def test_the_same_seed_loses_the_same_webhooks(receiver: Receiver, control: Control) -> None:
    runs = []
    for _ in range(2):
        control.reset()
        control.set(webhook_loss=0.4, webhook_duplicate=0.3, webhook_seed=5)
        control.add_endpoint(receiver.url)
        for _ in range(12):
            control.trigger("customer.created")
        runs.append([(row["id"], row["variant"], row["state"] == "lost") for row in control.deliveries()])
    assert runs[0] == runs[1]


def test_reordering_on_demand_lets_later_events_overtake(receiver: Receiver, control: Control) -> None:
    """docs.stripe.com/webhooks."""
    control.set(webhook_reorder=0.5, webhook_reorder_wait_s=0.3, webhook_seed=2)
    control.add_endpoint(receiver.url)
    for _ in range(12):
        control.trigger("customer.created")
    order = [json.loads(arrival.body)["id"] for arrival in receiver.wait_for(12)]
    assert order != [event["id"] for event in control.events()]
    assert sorted(order) == sorted(event["id"] for event in control.events())


@pytest.mark.parametrize("variant", ["forged", "stale"])
def test_forged_and_stale_copies_do_not_verify(receiver: Receiver, control: Control, variant: str) -> None:
    """Tolerance of five minutes: docs.stripe.com/webhooks."""
    control.set(**{f"webhook_{variant}": 1.0, "webhook_reorder_wait_s": 0.01})
    control.add_endpoint(receiver.url, secret="whsec_x")
    control.trigger("customer.created")
    receiver.wait_for(2)
    verdicts = sorted(verifies(arrival) for arrival in receiver.arrivals)
    assert verdicts == [False, True]


def verifies(arrival: Arrival) -> bool:
    try:
        arrival.event("whsec_x")
    except stripe.SignatureVerificationError:
        return False
    return True


def test_signatures_use_the_receivers_time_also_when_the_simulator_is_ahead(
    receiver: Receiver, control: Control
) -> None:
    control.add_endpoint(receiver.url, secret="whsec_x")
    control.advance(30 * 86_400)
    control.trigger("customer.created")
    arrival = receiver.wait_for(1)[0]
    assert verifies(arrival)
    signed_at = int(arrival.signature.removeprefix("t=").partition(",")[0])
    assert abs(signed_at - time.time()) < 60  # the library alone would accept any time in the future


def test_an_event_can_be_sent_again(receiver: Receiver, control: Control) -> None:
    """As `stripe events resend`: docs.stripe.com/webhooks."""
    control.add_endpoint(receiver.url)
    control.trigger("customer.created")
    receiver.wait_for(1)
    control.resend(control.events()[0]["id"])
    assert len({arrival.body for arrival in receiver.wait_for(2)}) == 1


def test_a_deleted_endpoint_gets_nothing_more(
    client: stripe.StripeClient, receiver: Receiver, control: Control
) -> None:
    """docs.stripe.com/api/webhook_endpoints/delete."""
    endpoint = client.v1.webhook_endpoints.create({"url": receiver.url, "enabled_events": ["*"]})
    client.v1.webhook_endpoints.delete(endpoint.id)
    new_payee(client)
    control.trigger("customer.created")
    assert control.deliveries() == []


def test_events_are_listed_by_type_and_account(
    client: stripe.StripeClient, control: Control, payee: str
) -> None:
    """Kept and readable by GET, each account its own: docs.stripe.com/api/events/list."""
    control.trigger("payment_intent.succeeded")
    assert [event.type for event in client.v1.events.list({"type": "charge.succeeded"}).data] == [
        "charge.succeeded"
    ]
    theirs = client.v1.events.list({}, {"stripe_account": payee}).data
    assert {event.type for event in theirs} == {
        "account.application.authorized",
        "account.external_account.created",
        "account.updated",
        "capability.updated",
        "person.created",
    }
    either = client.v1.events.list({"types": ["charge.succeeded", "payment_intent.created"]}).data
    assert len(either) == 2
