"""Faults on demand: the client sees an error of the network or of Stripe; effects show what happened.

Sources: docs.stripe.com/error-low-level, docs.stripe.com/rate-limits, docs.stripe.com/error-codes.
"""

from typing import Any, cast

import pytest
import stripe

from hobbs.local.stripe_sim.control import Control, SimulatorRefused
from tests.contract.stripe.conftest import Connect
from tests.contract.stripe.receiver import eventually

SHORT_S = 0.15


def pay(
    client: stripe.StripeClient, payee: str, key: str, operation: str = "1", amount: int = 1_000
) -> stripe.Transfer:
    return client.v1.transfers.create(
        {
            "amount": amount,
            "currency": "usd",
            "destination": payee,
            "metadata": {"hobbs_operation_id": operation},
        },
        {"idempotency_key": key},
    )


@pytest.mark.parametrize("kind", ["timeout", "reset"])
@pytest.mark.parametrize(("when", "effects"), [("before", 0), ("after", 1)])
def test_a_cut_call_leaves_its_effect_only_when_cut_after_it(
    connect: Connect, control: Control, payee: str, kind: str, when: str, effects: int
) -> None:
    """docs.stripe.com/error-low-level."""
    control.fund(10_000)
    control.add_fault(kind, when=when, path="/v1/transfers", nth=1)
    with pytest.raises(stripe.APIConnectionError):
        pay(connect(timeout_s=SHORT_S), payee, "a")
    eventually(lambda: bool(control.faults()[0]["fired"]))
    assert len(control.effects()) == effects
    made = pay(connect(), payee, "a")
    assert [row["object_id"] for row in control.effects()] == [made.id]


@pytest.mark.parametrize("kind", ["conflict", "rate_limit", "lock_timeout", "unavailable", "bad_gateway"])
def test_an_error_after_the_effect_hides_it_and_the_key_reveals_it(
    connect: Connect, control: Control, payee: str, kind: str
) -> None:
    """docs.stripe.com/error-low-level: repeat with the same key."""
    control.fund(10_000)
    control.add_fault(kind, when="after", path="/v1/transfers", nth=1)
    with pytest.raises(stripe.StripeError):
        pay(connect(), payee, "a")
    hidden = control.effects()[0]["object_id"]
    assert pay(connect(), payee, "a").id == hidden


def test_a_slow_call_executes_although_its_client_left(
    connect: Connect, control: Control, payee: str
) -> None:
    """An answer slower than the lease: the first client disconnects, the second gets 409, then the replay."""
    control.fund(10_000)
    control.add_fault("slow", path="/v1/transfers", nth=1, delay_s=1.0)
    with pytest.raises(stripe.APIConnectionError):
        pay(connect(timeout_s=SHORT_S), payee, "a")
    eventually(lambda: bool(control.faults()[0]["fired"]))
    assert control.effects() == []
    with pytest.raises(stripe.APIError) as conflict:
        pay(connect(), payee, "a")
    assert conflict.value.http_status == 409
    eventually(lambda: bool(control.effects()))
    assert pay(connect(), payee, "a").id == control.effects()[0]["object_id"]


@pytest.mark.parametrize(
    ("kind", "status", "code", "raised"),
    [
        ("conflict", 409, "idempotency_key_in_use", stripe.APIError),
        ("rate_limit", 429, "rate_limit", stripe.RateLimitError),
        ("lock_timeout", 429, "lock_timeout", stripe.RateLimitError),
        ("server_error", 500, None, stripe.APIError),
        ("bad_gateway", 502, None, stripe.APIError),
        ("unavailable", 503, None, stripe.APIError),
        ("balance_insufficient", 400, "balance_insufficient", stripe.InvalidRequestError),
        ("account_invalid", 403, "account_invalid", stripe.PermissionError),
        ("unauthorized", 401, None, stripe.AuthenticationError),
    ],
)
def test_each_fault_arrives_as_the_library_would_raise_it(
    connect: Connect,
    control: Control,
    payee: str,
    kind: str,
    status: int,
    code: str | None,
    raised: type[stripe.StripeError],
) -> None:
    """docs.stripe.com/api/errors; `stripe._api_requestor` of the installed library."""
    control.fund(10_000)
    control.add_fault(kind, path="/v1/transfers")
    with pytest.raises(raised) as error:
        pay(connect(), payee, "a")
    body = cast(dict[str, Any], error.value.json_body)["error"]
    assert (error.value.http_status, body.get("code")) == (status, code)
    assert control.effects() == []


def test_nth_fires_once_and_at_that_match(connect: Connect, control: Control, payee: str) -> None:
    control.fund(10_000)
    control.add_fault("unavailable", path="/v1/transfers", nth=3)
    statuses = [attempt(connect(), payee, f"k{n}") for n in range(5)]
    assert statuses == [200, 200, 503, 200, 200]


def attempt(client: stripe.StripeClient, payee: str, key: str, operation: str = "1") -> int | None:
    try:
        pay(client, payee, key, operation, 100)
    except stripe.StripeError as error:
        return error.http_status
    return 200


def test_a_fault_can_hit_one_operation(connect: Connect, control: Control, payee: str) -> None:
    control.fund(10_000)
    control.add_fault("unavailable", match={"metadata.hobbs_operation_id": "B"})
    assert [attempt(connect(), payee, name, name) for name in "ABC"] == [200, 503, 200]


def test_a_seed_repeats_a_run_whatever_the_order(connect: Connect, control: Control) -> None:
    """The draw depends on the key and its attempt, not on time."""
    client = connect()
    runs = []
    for keys in (range(30), reversed(range(30))):
        control.reset(keep_settings=True)
        made = client.v1.accounts.create(
            {"type": "express", "capabilities": {"transfers": {"requested": True}}}
        )
        control.onboard(made.id)
        control.fund(10_000)
        control.add_fault("unavailable", path="/v1/transfers", probability=0.3, seed=9)
        runs.append({key: attempt(client, made.id, f"k{key}") for key in keys})
    assert runs[0] == runs[1]
    assert 0 < list(runs[0].values()).count(503) < 30


def test_count_limits_a_fault_and_clear_removes_it(connect: Connect, control: Control, payee: str) -> None:
    control.fund(10_000)
    fault = control.add_fault("429", path="/v1/transfers", count=2)
    assert [attempt(connect(), payee, f"k{n}") for n in range(3)] == [429, 429, 200]
    assert control.faults()[0]["fired"] == 2
    control.clear_faults(fault["id"])
    assert control.faults() == []


def test_an_invalid_fault_is_refused(control: Control) -> None:
    with pytest.raises(SimulatorRefused, match="unknown fault kind"):
        control.add_fault("gremlins")
    with pytest.raises(SimulatorRefused, match="before the effect"):
        control.add_fault("balance_insufficient", when="after")
