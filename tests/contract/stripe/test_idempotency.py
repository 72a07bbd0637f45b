"""v1 idempotency, case by case.

Source of all: docs.stripe.com/api/idempotent_requests. Status and body of the first request are
saved, success or failure, 500 included; that nothing is saved when validation fails or a concurrent
request conflicts; that other parameters are an error; that keys may be removed once they are 24 hours old,
after which the same key is a new request. What to retry: docs.stripe.com/error-low-level.
"""

from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast

import pytest
import stripe

from hobbs.local.stripe_sim.control import Control
from tests.contract.stripe.conftest import Connect
from tests.contract.stripe.receiver import eventually

HOUR_S = 3600


def pay(
    client: stripe.StripeClient, payee: str, key: str, amount: int = 1_000, **more: object
) -> stripe.Transfer:
    given = {"amount": amount, "currency": "usd", "destination": payee, **more}
    return client.v1.transfers.create(given, {"idempotency_key": key})  # type: ignore[arg-type]


def header(error: stripe.StripeError, name: str) -> str | None:
    return {str(key).lower(): str(value) for key, value in dict(error.headers or {}).items()}.get(
        name.lower()
    )


def code(error: stripe.StripeError) -> str | None:
    """The code in the body; the library leaves `.code` empty on some classes."""
    body = cast(dict[str, Any], error.json_body)
    return cast(str | None, body["error"].get("code"))


def test_the_same_key_replays_the_first_answer_and_pays_once(
    client: stripe.StripeClient, control: Control, payee: str
) -> None:
    """docs.stripe.com/api/idempotent_requests."""
    control.fund(10_000)
    first, second = pay(client, payee, "a"), pay(client, payee, "a")
    assert first.id == second.id
    assert first.to_dict() == second.to_dict()
    assert len(control.effects(kind="transfer")) == 1


def test_a_replay_says_so_in_its_headers(client: stripe.StripeClient, control: Control, payee: str) -> None:
    """`Idempotent-Replayed: true`: docs.stripe.com/error-low-level."""
    control.fund(10_000)
    first, second = pay(client, payee, "a").last_response, pay(client, payee, "a").last_response
    assert first is not None
    assert second is not None
    assert "Idempotent-Replayed" not in first.headers
    assert second.headers["Idempotent-Replayed"] == "true"
    assert second.headers["Original-Request"] == first.headers["Request-Id"]
    assert second.headers["Request-Id"] != first.headers["Request-Id"]


def test_other_parameters_with_the_same_key_are_an_error_and_do_nothing(
    client: stripe.StripeClient, control: Control, payee: str
) -> None:
    """docs.stripe.com/api/idempotent_requests; wording: github.com/stripe/stripe-ruby/issues/503."""
    control.fund(10_000)
    pay(client, payee, "a", 1_000)
    with pytest.raises(stripe.IdempotencyError) as refused:
        pay(client, payee, "a", 1_001)
    assert refused.value.http_status == 400
    assert [effect["amount"] for effect in control.effects()] == [1_000]


def test_another_endpoint_with_the_same_key_is_an_error(
    client: stripe.StripeClient, control: Control, payee: str
) -> None:
    """Wording as quoted in github.com/stripe/stripe-ruby/issues/598."""
    control.fund(10_000)
    transfer = pay(client, payee, "a")
    with pytest.raises(stripe.IdempotencyError, match="same endpoint"):
        client.v1.transfers.reversals.create(transfer.id, {"amount": 1}, {"idempotency_key": "a"})


def test_a_500_before_the_effect_is_replayed_although_stripe_is_well_again(
    client: stripe.StripeClient, control: Control, payee: str
) -> None:
    """The saved answer includes 500: docs.stripe.com/api/idempotent_requests."""
    control.fund(10_000)
    control.add_fault("server_error", path="/v1/transfers", nth=1)
    for _ in range(2):
        with pytest.raises(stripe.APIError) as failed:
            pay(client, payee, "a")
        assert failed.value.http_status == 500
    assert header(failed.value, "Idempotent-Replayed") == "true"
    assert control.effects() == []
    pay(client, payee, "b")
    assert len(control.effects()) == 1


def test_a_500_after_the_effect_is_replayed_and_the_effect_is_found_by_metadata(
    client: stripe.StripeClient, control: Control, payee: str
) -> None:
    """A 500 is indeterminate, its effect may exist: docs.stripe.com/error-low-level."""
    control.fund(10_000)
    control.add_fault("server_error", when="after", path="/v1/transfers", nth=1)
    for _ in range(3):
        with pytest.raises(stripe.APIError):
            pay(client, payee, "a", metadata={"hobbs_operation_id": "7"})
    assert len(control.effects(operation_id="7")) == 1
    found = [
        t
        for t in client.v1.transfers.list({"destination": payee}).data
        if t.metadata["hobbs_operation_id"] == "7"
    ]
    assert [transfer.amount for transfer in found] == [1_000]


@pytest.mark.parametrize("kind", ["bad_gateway", "unavailable"])
def test_a_502_or_503_from_the_edge_is_not_saved(
    client: stripe.StripeClient, control: Control, payee: str, kind: str
) -> None:
    """No endpoint began to execute: docs.stripe.com/api/idempotent_requests."""
    control.fund(10_000)
    control.add_fault(kind, path="/v1/transfers", nth=1)
    with pytest.raises(stripe.APIError):
        pay(client, payee, "a")
    assert pay(client, payee, "a").amount == 1_000


def test_balance_insufficient_is_replayed_even_after_a_top_up_and_a_new_key_pays(
    client: stripe.StripeClient, control: Control, payee: str
) -> None:
    """Saved whether it succeeds or fails: docs.stripe.com/api/idempotent_requests."""
    for fund in (0, 10_000):
        if fund:
            control.fund(fund)
        with pytest.raises(stripe.InvalidRequestError) as refused:
            pay(client, payee, "a")
        assert refused.value.code == "balance_insufficient"
    assert pay(client, payee, "b").amount == 1_000


def test_a_declined_card_is_replayed_as_the_same_402(client: stripe.StripeClient, control: Control) -> None:
    """Saved whether it succeeds or fails: docs.stripe.com/api/idempotent_requests."""
    charges = set()
    for _ in range(2):
        with pytest.raises(stripe.CardError) as declined:
            client.v1.payment_intents.create(
                {
                    "amount": 500,
                    "currency": "usd",
                    "payment_method": "pm_card_chargeDeclined",
                    "confirm": True,
                },
                {"idempotency_key": "a"},
            )
        charges.add(cast(dict[str, Any], declined.value.json_body)["error"]["charge"])
    assert len(charges) == 1
    assert control.state()["objects"]["payment_intent"] == 1


def test_failed_validation_is_not_saved_so_the_key_may_be_used_with_better_parameters(
    client: stripe.StripeClient, control: Control, payee: str
) -> None:
    """No endpoint began to execute: docs.stripe.com/api/idempotent_requests, last paragraph."""
    control.fund(10_000)
    for amount in (0, -5):
        with pytest.raises(stripe.InvalidRequestError) as refused:
            pay(client, payee, "a", amount)
        assert refused.value.param == "amount"
    assert pay(client, payee, "a", 1_000).amount == 1_000


def test_the_same_key_in_flight_is_a_conflict_and_afterwards_a_replay(
    connect: Connect, control: Control, payee: str
) -> None:
    """409: docs.stripe.com/error-codes#idempotency-key-in-use. The library raises it as APIError."""
    control.fund(10_000)
    control.add_fault("slow", path="/v1/transfers", nth=1, delay_s=1.0)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(pay, connect(), payee, "a")
        eventually(lambda: bool(control.faults()[0]["fired"]))
        with pytest.raises(stripe.StripeError) as conflict:
            pay(connect(), payee, "a")
        assert conflict.value.http_status == 409
        assert code(conflict.value) == "idempotency_key_in_use"
        assert first.result().id == pay(connect(), payee, "a").id
    assert len(control.effects()) == 1


def test_twenty_at_once_with_one_key_have_one_effect(connect: Connect, control: Control, payee: str) -> None:
    """Concurrent conflicts are not saved: docs.stripe.com/api/idempotent_requests."""
    control.fund(100_000)
    control.add_fault("slow", path="/v1/transfers", probability=0.5, seed=3, delay_s=0.02)

    def attempt(_: int) -> str:
        try:
            return str(pay(connect(), payee, "a").id)
        except stripe.StripeError as conflict:
            return str(code(conflict))

    with ThreadPoolExecutor(8) as pool:
        answers = set(pool.map(attempt, range(20)))
    assert len(answers - {"idempotency_key_in_use"}) == 1
    assert len(control.effects()) == 1


@pytest.mark.parametrize(
    ("kind", "status"), [("conflict", 409), ("rate_limit", 429), ("lock_timeout", 429), ("unauthorized", 401)]
)
def test_conflicts_limits_and_bad_keys_are_not_saved(
    client: stripe.StripeClient, control: Control, payee: str, kind: str, status: int
) -> None:
    """No endpoint began to execute; 429: docs.stripe.com/rate-limits."""
    control.fund(10_000)
    control.add_fault(kind, path="/v1/transfers", nth=1)
    with pytest.raises(stripe.StripeError) as refused:
        pay(client, payee, "a")
    assert refused.value.http_status == status
    assert pay(client, payee, "a").amount == 1_000
    assert len(control.effects()) == 1


def test_a_key_replays_for_a_day_and_then_pays_twice(
    client: stripe.StripeClient, control: Control, payee: str
) -> None:
    """Keys are pruned once they are 24 hours old; a reused one is a new request."""
    control.fund(10_000)
    first = pay(client, payee, "a")
    control.advance(24 * HOUR_S - 60)
    assert pay(client, payee, "a").id == first.id
    control.advance(120)
    assert pay(client, payee, "a").id != first.id
    assert len(control.effects(kind="transfer")) == 2


def test_keys_belong_to_the_account_that_acts(
    client: stripe.StripeClient, control: Control, payee: str
) -> None:
    """docs.stripe.com/connect/authentication: with Stripe-Account another account acts."""
    control.fund(500, account=payee)
    made = client.v1.customers.create({"name": "a"}, {"idempotency_key": "a"})
    theirs = client.v1.customers.create({"name": "a"}, {"idempotency_key": "a", "stripe_account": payee})
    assert made.id != theirs.id


def test_a_key_of_more_than_255_characters_is_refused(
    client: stripe.StripeClient, control: Control, payee: str
) -> None:
    """Up to 255 characters: docs.stripe.com/api/idempotent_requests."""
    control.fund(10_000)
    with pytest.raises(stripe.InvalidRequestError):
        pay(client, payee, "k" * 256)
    assert pay(client, payee, "k" * 255).amount == 1_000


def test_the_librarys_own_retries_pay_once(connect: Connect, control: Control, payee: str) -> None:
    """The library gives each POST one key and repeats it on 409, 500 and 503."""
    control.fund(10_000)
    control.add_fault("unavailable", when="after", path="/v1/transfers", count=2)
    given = {"amount": 1_000, "currency": "usd", "destination": payee}
    transfer = connect(retries=3).v1.transfers.create(given)  # type: ignore[arg-type]
    assert [effect["object_id"] for effect in control.effects()] == [transfer.id]
