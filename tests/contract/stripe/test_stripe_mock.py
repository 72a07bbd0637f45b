"""The same calls against Stripe's stripe-mock: the simulator accepts and refuses the same ones.

stripe-mock checks fields and parameters but has no state. It runs when a binary is found in
HOBBS_STRIPE_MOCK, on the PATH, or where Go installs to; otherwise these cases are skipped, saying so:
    go install github.com/stripe/stripe-mock@v0.203.0
"""

import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import stripe

from hobbs.local.stripe_sim.control import Control
from tests.contract.stripe.shapes import misfits

Doc = dict[str, Any]
START_WITHIN_S = 10.0


def binary() -> str | None:
    named = os.environ.get("HOBBS_STRIPE_MOCK") or shutil.which("stripe-mock")
    installed = Path(os.environ.get("GOPATH", Path.home() / "go")) / "bin" / "stripe-mock"
    return named or (str(installed) if installed.exists() else None)


STRIPE_MOCK = binary()
pytestmark = pytest.mark.skipif(
    STRIPE_MOCK is None,
    reason="ABSENT: no stripe-mock binary, so nothing was compared with Stripe's own; "
    "go install github.com/stripe/stripe-mock@v0.203.0",
)


@pytest.fixture(scope="module")
def oracle() -> Iterator[stripe.StripeClient]:
    assert STRIPE_MOCK is not None
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [STRIPE_MOCK, "-http-port", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    until = time.monotonic() + START_WITHIN_S
    while time.monotonic() < until:
        with socket.socket() as attempt:
            if attempt.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.05)
    http = stripe.RequestsClient(timeout=10)
    yield stripe.StripeClient(
        "sk_test_123", base_addresses={"api": f"http://127.0.0.1:{port}"}, http_client=http
    )
    http.close()  # type: ignore[no-untyped-call]
    process.kill()
    process.wait()


TRANSFER: Doc = {"amount": 100, "currency": "usd", "destination": "PAYEE"}
PAYMENT: Doc = {"amount": 5_000, "currency": "usd", "payment_method": "pm_card_visa", "confirm": True}
LINK: Doc = {
    "account": "PAYEE",
    "type": "account_onboarding",
    "refresh_url": "http://x",
    "return_url": "http://y",
}
ENDPOINT: Doc = {"url": "http://127.0.0.1:9/", "enabled_events": ["*"], "connect": True}
ACCOUNT: Doc = {"type": "express", "country": "US", "capabilities": {"transfers": {"requested": True}}}

ITEM: Doc = {
    "price_data": {"currency": "usd", "unit_amount": 900, "product_data": {"name": "F"}},
    "quantity": 1,
}
SESSION: Doc = {"mode": "payment", "line_items": [ITEM], "success_url": "https://x.example/"}
BANK: Doc = {
    "type": "us_bank_account",
    "billing_details": {"name": "Jenny Rosen"},
    "us_bank_account": {
        "account_holder_type": "individual",
        "account_number": "000123456789",
        "routing_number": "110000000",
    },
}
SCHEDULE: Doc = {"payments": {"payouts": {"schedule": {"interval": "manual"}}}}

GOOD: list[tuple[str, str, Doc]] = [
    ("/v1/accounts", "account", ACCOUNT),
    ("/v1/account_links", "account_link", LINK),
    ("/v1/transfers", "transfer", TRANSFER | {"metadata": {"a": "b"}, "transfer_group": "g"}),
    ("/v1/payment_intents", "payment_intent", PAYMENT),
    ("/v1/customers", "customer", {"email": "a@example.com", "metadata": {"hobbs_student": "S1"}}),
    ("/v1/setup_intents", "setup_intent", {"description": "later", "usage": "off_session"}),
    ("/v1/topups", "topup", {"amount": 500, "currency": "usd", "description": "float"}),
    ("/v1/webhook_endpoints", "webhook_endpoint", ENDPOINT),
    ("/v1/checkout/sessions", "checkout.session", SESSION),
    ("/v1/payment_links", "payment_link", {"line_items": [ITEM]}),
    ("/v1/products", "product", {"name": "Flight 17"}),
    ("/v1/prices", "price", {"currency": "usd", "unit_amount": 900, "product_data": {"name": "Flight 17"}}),
    ("/v1/payment_methods", "payment_method", BANK),
    ("/v1/balance_settings", "balance_settings", SCHEDULE),
    (
        "/v1/account_sessions",
        "account_session",
        {"account": "PAYEE", "components": {"payouts": {"enabled": True}}},
    ),
]


@pytest.mark.parametrize(("path", "schema", "given"), GOOD, ids=[path for path, _, _ in GOOD])
def test_what_stripe_mock_accepts_we_accept_with_the_same_fields(
    oracle: stripe.StripeClient,
    client: stripe.StripeClient,
    control: Control,
    payee: str,
    path: str,
    schema: str,
    given: Doc,
) -> None:
    control.fund(100_000)
    theirs = post(oracle, path, filled(given, "acct_123"))
    ours = post(client, path, filled(given, payee))
    assert misfits(ours, schema) == []
    assert {name for name in theirs if name not in ours and theirs[name] is not None} - OPTIONAL == set()


# Optional fields that stripe-mock's fixtures fill in and Stripe leaves out in these calls.
OPTIONAL = {
    "card",
    "individual",
    "company",
    "application",
    "managed_payments",
    "secret",
    "invoice_settings",
    "discount",
}

BAD: list[tuple[str, str, Doc]] = [
    ("no currency", "/v1/transfers", {"amount": 100, "destination": "PAYEE"}),
    ("no destination", "/v1/transfers", {"amount": 100, "currency": "usd"}),
    ("an amount in words", "/v1/transfers", TRANSFER | {"amount": "ten"}),
    ("an unknown parameter", "/v1/transfers", TRANSFER | {"colour": "red"}),
    ("no amount", "/v1/payouts", {"currency": "usd"}),
    ("an unknown method", "/v1/payouts", {"amount": 5, "currency": "usd", "method": "owl"}),
    ("no amount in words", "/v1/payment_intents", {"currency": "usd", "amount": "x"}),
    ("confirm is not a boolean", "/v1/payment_intents", PAYMENT | {"confirm": "maybe"}),
    ("no account", "/v1/account_links", {"type": "account_onboarding"}),
    ("no url", "/v1/webhook_endpoints", {"enabled_events": ["*"]}),
    ("an unknown type of account", "/v1/accounts", ACCOUNT | {"type": "imperial"}),
    ("an unknown reason", "/v1/refunds", {"charge": "ch_1", "reason": "bored"}),
    ("an unknown mode", "/v1/checkout/sessions", SESSION | {"mode": "barter"}),
    ("no items", "/v1/payment_links", {"metadata": {"a": "b"}}),
    ("no name", "/v1/products", {"description": "x"}),
    ("no components", "/v1/account_sessions", {"account": "PAYEE"}),
    (
        "an unknown interval",
        "/v1/balance_settings",
        {"payments": {"payouts": {"schedule": {"interval": "x"}}}},
    ),
]


@pytest.mark.parametrize(("path", "given"), [case[1:] for case in BAD], ids=[case[0] for case in BAD])
def test_what_stripe_mock_refuses_we_refuse(
    oracle: stripe.StripeClient,
    client: stripe.StripeClient,
    control: Control,
    payee: str,
    path: str,
    given: Doc,
) -> None:
    control.fund(100_000)
    for party, account in ((oracle, "acct_123"), (client, payee)):
        with pytest.raises(stripe.InvalidRequestError) as refused:
            post(party, path, filled(given, account))
        assert refused.value.http_status == 400
    assert control.effects() == []


def filled(given: Doc, account: str) -> Doc:
    return {name: account if value == "PAYEE" else value for name, value in given.items()}


def post(client: stripe.StripeClient, path: str, given: Doc) -> Doc:
    answer = client.raw_request("post", path, **given)
    found: Doc = json.loads(answer.body)  # the library cannot read nulls where it expects a mapping
    return found
