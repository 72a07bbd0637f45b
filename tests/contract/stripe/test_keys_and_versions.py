"""Restricted keys, API versions, and what Stripe has that the simulator has not.

Sources: docs.stripe.com/keys/restricted-api-keys; the refusal is quoted by public repositories;
docs.stripe.com/changelog/endive/2026-09-30/removes-the-payment-method-types-parameter-from-payment-intents-
and- setup-intents, …/remove-payment-method-types-checkout-sessions.
"""

import re
from pathlib import Path
from typing import Any, cast

import pytest
import stripe

from hobbs.local.stripe_sim import restricted_keys, routes
from hobbs.local.stripe_sim.control import Control, SimulatorRefused
from services.payouts.stripe import client as stripe_client
from tests.contract.stripe.conftest import Connect

Doc = dict[str, Any]
KEY = "rk_test_contract00000000000"


def message(error: stripe.StripeError) -> str:
    return str(cast(Doc, error.json_body)["error"]["message"])


def test_a_restricted_key_may_what_our_pages_recommend(
    connect: Connect, control: Control, payee: str
) -> None:
    """docs/operations/stripe.md: what a key for Hobbs may do, and no more."""
    control.add_restricted_key(KEY)
    control.fund(10_000)
    v1 = connect(key=KEY).v1
    assert v1.transfers.create({"amount": 500, "currency": "usd", "destination": payee}).amount == 500
    assert v1.balance.retrieve().available[0].amount == 9_500
    assert v1.accounts.retrieve(payee).id == payee
    assert v1.events.list().data
    with pytest.raises(stripe.PermissionError) as refused:
        v1.payment_methods.list({"customer": "cus_1"})
    body = cast(Doc, refused.value.json_body)["error"]
    assert (refused.value.http_status, body["code"]) == (403, "more_permissions_required")
    assert "Having the 'rak_payment_method_read' permission would allow this request" in message(
        refused.value
    )
    assert KEY not in message(refused.value)


def test_reading_does_not_allow_writing_and_writing_allows_reading(
    connect: Connect, control: Control
) -> None:
    """docs.stripe.com/keys/restricted-api-keys: none, read or write for each resource."""
    control.add_restricted_key(KEY, ["rak_customer_write", "payment_intent_read"])
    v1 = connect(key=KEY).v1
    assert v1.customers.list().data == []
    assert v1.customers.create({"email": "a@example.com"}).id
    assert v1.payment_intents.list().data == []
    with pytest.raises(stripe.PermissionError, match="rak_payment_intent_write"):
        v1.payment_intents.create({"amount": 100, "currency": "usd"})
    with pytest.raises(stripe.PermissionError, match="rak_balance_read"):
        v1.balance.retrieve()
    with pytest.raises(SimulatorRefused, match="moon_read"):
        control.add_restricted_key(KEY, ["moon_read"])


def test_every_route_needs_a_permission() -> None:
    """A route without one would be open to every restricted key."""
    open_routes = [
        path for method, path, _, _ in routes.ALL if restricted_keys.permission(method, path) is None
    ]
    assert open_routes == []


def test_the_recommended_permissions_cover_every_call_of_payouts() -> None:
    """docs/operations/stripe.md: a call that the recommended key may not make would stop us."""
    source = Path(stripe_client.__file__).read_text(encoding="utf-8")
    calls = re.findall(r"v([12])\.([a-z_.]+)\.(create|update|retrieve|list|cancel)_async", source)
    assert len(calls) > 10
    for version, names, verb in calls:
        method = "GET" if verb in ("retrieve", "list") else "POST"
        needed = restricted_keys.permission(method, f"/v{version}/{names.replace('.', '/')}")
        covering = {needed, str(needed).replace("_read", "_write")}
        assert covering & set(restricted_keys.RECOMMENDED), f"{verb} {names} needs {needed}"


OLD = "2026-08-26.dahlia"


@pytest.mark.parametrize("path", ["/v1/payment_intents", "/v1/setup_intents"])
def test_payment_method_types_is_gone_from_intents_since_endive(
    client: stripe.StripeClient, path: str
) -> None:
    """…/removes-the-payment-method-types-parameter-from-payment-intents-and-setup-intents."""
    given = {"payment_method_types": ["card"]} | ({"amount": 100, "currency": "usd"} if "pay" in path else {})
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.raw_request("post", path, **given)
    assert refused.value.code == "payment_method_types_no_longer_supported"
    older = client.raw_request("post", path, **given, stripe_version=OLD)
    assert client.deserialize(older, api_mode="V1").to_dict()["payment_method_types"] == ["card"]


def test_a_checkout_session_takes_payment_method_types_from_older_versions_only(
    client: stripe.StripeClient,
) -> None:
    """…/remove-payment-method-types-checkout-sessions: a parameter that no longer exists."""
    given: Doc = {
        "mode": "setup",
        "currency": "usd",
        "success_url": "https://school.example/",
        "payment_method_types": ["card"],
    }
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.raw_request("post", "/v1/checkout/sessions", **given)
    assert refused.value.code == "parameter_unknown"
    older = client.raw_request("post", "/v1/checkout/sessions", **given, stripe_version=OLD)
    assert client.deserialize(older, api_mode="V1").to_dict()["payment_method_types"] == ["card"]


def test_allowed_types_filter_what_is_offered(client: stripe.StripeClient, control: Control) -> None:
    """docs.stripe.com/changelog/dahlia/2026-07-29/allowed-payment-method-types-parameter."""
    control.set(settlement_currencies=["eur"])
    given: Any = {
        "amount": 5_000,
        "currency": "eur",
        "allowed_payment_method_types": ["card", "us_bank_account"],
    }
    assert client.v1.payment_intents.create(given).payment_method_types == ["card"]
    given = {"amount": 5_000, "currency": "usd", "allowed_payment_method_types": ["us_bank_account"]}
    intent = client.v1.payment_intents.create(given)
    assert (intent.payment_method_types, intent.allowed_payment_method_types) == (
        ["us_bank_account"],
        ["us_bank_account"],
    )
    with pytest.raises(stripe.InvalidRequestError) as other:
        client.v1.payment_intents.confirm(intent.id, {"payment_method": "pm_card_visa"})
    assert other.value.code == "payment_intent_incompatible_payment_method"
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.payment_intents.create(given | {"excluded_payment_method_types": ["card"]})


@pytest.mark.parametrize("path", ["/v1/invoices", "/v1/billing_portal/sessions", "/v1/subscriptions"])
def test_what_stripe_has_and_we_have_not_says_so(client: stripe.StripeClient, path: str) -> None:
    """Our own answer, so that nobody takes it for Stripe's: it names what is simulated."""
    with pytest.raises(stripe.InvalidRequestError, match="does not simulate POST") as refused:
        client.raw_request("post", path, customer="cus_1")
    assert refused.value.http_status == 400
    assert "/v1/checkout/sessions" in message(refused.value)


def test_what_stripe_has_not_is_unrecognized(client: stripe.StripeClient) -> None:
    """docs.stripe.com/error-codes: Unrecognized request URL."""
    with pytest.raises(stripe.InvalidRequestError, match="Unrecognized request URL") as refused:
        client.raw_request("post", "/v1/moons")
    assert refused.value.http_status == 404
