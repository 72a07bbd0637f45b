"""Every object of the simulator has the fields of Stripe's OpenAPI description (shapes.json).

Source: github.com/stripe/openapi by way of github.com/stripe/stripe-mock; extract_shapes.py says how.
"""

from collections.abc import Callable
from typing import Any

import pytest
import stripe

from hobbs.local.stripe_sim import routes
from hobbs.local.stripe_sim.control import Control
from hobbs.local.stripe_sim.parameters import parameters
from tests.contract.stripe.conftest import new_payee
from tests.contract.stripe.shapes import misfits

Doc = dict[str, Any]
DAY_S = 86_400


@pytest.fixture
def world(client: stripe.StripeClient, control: Control, payee: str) -> Doc:
    """One object of every kind, and its endpoint."""
    control.fund(100_000)
    control.set(charge_transaction_after_s=0)
    v1, theirs = client.v1, {"stripe_account": payee}
    customer = v1.customers.create({"email": "a@example.com"})
    intent = v1.payment_intents.create(
        {
            "amount": 5_000,
            "currency": "usd",
            "customer": customer.id,
            "payment_method": "pm_card_visa",
            "confirm": True,
        }
    )
    transfer = v1.transfers.create({"amount": 3_000, "currency": "usd", "destination": payee})
    return {
        "customer": customer.id,
        "intent": intent.id,
        "method": intent.payment_method,
        "charge": intent.latest_charge,
        "refund": v1.refunds.create({"payment_intent": intent.id, "amount": 100}).id,
        "dispute": control.trigger("charge.dispute.created")["id"],
        "transfer": transfer.id,
        "reversal": v1.transfers.reversals.create(transfer.id, {"amount": 50}).id,
        "payout": v1.payouts.create({"amount": 1_000, "currency": "usd", "method": "instant"}, theirs).id,  # type: ignore[arg-type]
        "payee": payee,
        "new": new_payee(client),
        "setup": v1.setup_intents.create({"payment_method": "pm_card_visa", "confirm": True}).id,
        "topup": v1.topups.create({"amount": 500, "currency": "usd"}).id,
        "declined": control.trigger("payment_intent.payment_failed")["id"],
        "asking": control.trigger("payment_intent.requires_action")["id"],
        "endpoint": v1.webhook_endpoints.create({"url": "http://127.0.0.1:9/", "enabled_events": ["*"]}).id,
    }


Found = Callable[[Any, Doc], Any]
OBJECTS: dict[str, tuple[str, Found]] = {
    "an account that is ready": ("account", lambda v1, at: v1.accounts.retrieve(at["payee"])),
    "a new account": ("account", lambda v1, at: v1.accounts.retrieve(at["new"])),
    "a balance": ("balance", lambda v1, at: v1.balance.retrieve()),
    "an account's balance": (
        "balance",
        lambda v1, at: v1.balance.retrieve({}, {"stripe_account": at["payee"]}),
    ),
    "a capability": (
        "capability",
        lambda v1, at: v1.accounts.capabilities.retrieve(at["payee"], "transfers"),
    ),
    "a charge": ("charge", lambda v1, at: v1.charges.retrieve(at["charge"])),
    "a customer": ("customer", lambda v1, at: v1.customers.retrieve(at["customer"])),
    "a dispute": ("dispute", lambda v1, at: v1.disputes.retrieve(at["dispute"])),
    "a login link": ("login_link", lambda v1, at: v1.accounts.login_links.create(at["payee"])),
    "a payment intent": ("payment_intent", lambda v1, at: v1.payment_intents.retrieve(at["intent"])),
    "a declined intent": ("payment_intent", lambda v1, at: v1.payment_intents.retrieve(at["declined"])),
    "an asking intent": ("payment_intent", lambda v1, at: v1.payment_intents.retrieve(at["asking"])),
    "a payment method": ("payment_method", lambda v1, at: v1.payment_methods.retrieve(at["method"])),
    "a payout": (
        "payout",
        lambda v1, at: v1.payouts.retrieve(at["payout"], {}, {"stripe_account": at["payee"]}),
    ),
    "a refund": ("refund", lambda v1, at: v1.refunds.retrieve(at["refund"])),
    "a reversal": (
        "transfer_reversal",
        lambda v1, at: v1.transfers.reversals.retrieve(at["transfer"], at["reversal"]),
    ),
    "a setup intent": ("setup_intent", lambda v1, at: v1.setup_intents.retrieve(at["setup"])),
    "a top-up": ("topup", lambda v1, at: v1.topups.retrieve(at["topup"])),
    "a transfer": ("transfer", lambda v1, at: v1.transfers.retrieve(at["transfer"])),
    "a webhook endpoint": ("webhook_endpoint", lambda v1, at: v1.webhook_endpoints.retrieve(at["endpoint"])),
}


def test_every_object_has_stripes_shape(client: stripe.StripeClient, world: Doc) -> None:
    wrong = {
        name: found
        for name, (schema, retrieve) in OBJECTS.items()
        if (found := misfits(retrieve(client.v1, world).to_dict(), schema))
    }
    assert wrong == {}


def test_every_event_and_what_it_carries_has_stripes_shape(
    client: stripe.StripeClient, control: Control, world: Doc
) -> None:
    control.advance(3 * DAY_S)
    wrong: dict[str, list[str]] = {}
    events = control.events()
    for event in events:
        cursor = event.pop("cursor")
        wrong[f"{cursor} {event['type']}"] = misfits(event, "event")
        carried = event["data"]["object"]
        if carried["object"] != "application":
            wrong[f"{cursor} {event['type']} object"] = misfits(carried, carried["object"])
    assert len(events) > 20
    assert {name: found for name, found in wrong.items() if found} == {}


def test_every_balance_transaction_has_stripes_shape_and_a_known_type(
    client: stripe.StripeClient, control: Control, world: Doc
) -> None:
    control.advance(3 * DAY_S)
    platform = client.v1.balance_transactions.list({"limit": 100}).data
    theirs = client.v1.balance_transactions.list({"limit": 100}, {"stripe_account": world["payee"]}).data
    assert [
        found for item in [*platform, *theirs] for found in misfits(item.to_dict(), "balance_transaction")
    ] == []
    kinds = {item.type for item in [*platform, *theirs]}
    expected = {"adjustment", "charge", "payment", "payment_refund", "payout", "refund", "topup", "transfer"}
    assert expected | {"transfer_refund"} == kinds


def test_the_events_are_of_types_the_library_knows(control: Control, world: Doc) -> None:
    hint = stripe.Event.__annotations__["type"]
    known = set(hint.__args__)
    # Connected accounts do get payment.created for a transfer that arrives; the library's list leaves it out.
    assert {event["type"] for event in control.events()} - known == {"payment.created"}


def test_every_endpoint_takes_the_parameters_of_the_installed_library() -> None:
    for method, path, name, _ in routes.TABLE:
        assert parameters(name).allowed, f"{method} {path}"


def test_the_shape_check_can_fail() -> None:
    assert misfits({"object": "login_link", "created": "now", "url": None, "x": 1}, "login_link") == [
        "login_link.x is not Stripe's",
        "login_link.created is str, not integer",
        "login_link.url is null",
    ]
