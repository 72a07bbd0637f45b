"""What clients other than Python's rely on, and Python's own does not show: found by tests/contract/clients.

Sources: the official stripe-node 23.1.0 and stripe-go 85.0.0, docs.stripe.com/context, docs.stripe.com/api.
"""

import httpx
import pytest
import stripe

from hobbs.local.stripe_sim.control import Control
from tests.contract.stripe.conftest import new_payee
from tests.support.stripe import StripeSim


def test_a_page_is_never_empty_while_there_is_more(client: stripe.StripeClient) -> None:
    """stripe-node, autoPagination.js: a page without an item to go on from, and has_more, is an error."""
    customers = [client.v1.customers.create({"name": str(n)}).id for n in range(4)]
    accounts = [new_payee(client) for _ in range(4)]
    for customer, account in zip(customers[1:], accounts[1:], strict=True):
        client.v1.customers.delete(customer)
        client.v1.accounts.delete(account)
    page = client.v1.customers.list({"limit": 1})
    assert ([found.id for found in page.data], page.has_more) == (customers[:1], False)
    listed = client.v1.accounts.list({"limit": 1})
    assert ([found.id for found in listed.data], listed.has_more) == (accounts[:1], False)


def test_an_intents_amount_changes_without_saying_its_currency(
    client: stripe.StripeClient, control: Control
) -> None:
    """docs.stripe.com/api/payment_intents/update: both are optional."""
    control.set(settlement_currencies=["eur"])
    made = client.v1.payment_intents.create({"amount": 3_000, "currency": "eur"}).id
    changed = client.v1.payment_intents.update(made, {"amount": 4_000})
    assert (changed.amount, changed.currency) == (4_000, "eur")


def test_a_customer_keeps_address_shipping_and_languages(client: stripe.StripeClient) -> None:
    """docs.stripe.com/api/customers/object: every part of an address is there, null where none was given."""
    address = {"city": "Wichita", "line1": "2 Airport Road"}
    shipping = {"name": "A", "address": address}
    given = {"name": "Amelia", "address": address, "shipping": shipping, "preferred_locales": ["de", "en"]}
    made = client.v1.customers.create(given).id  # type: ignore[arg-type]
    whole = address | dict.fromkeys(("country", "line2", "postal_code", "state"))
    kept = client.v1.customers.retrieve(made).to_dict()
    assert (kept["address"], kept["preferred_locales"]) == (whole, ["de", "en"])
    assert kept["shipping"] == {"address": whole, "name": "A", "phone": None}
    changed = client.v1.customers.update(made, {"address": {"line2": "Hangar 3"}}).to_dict()
    assert changed["address"] == whole | {"line2": "Hangar 3"}
    assert client.v1.customers.update(made, {"address": ""}).address is None


def test_the_event_of_an_update_says_what_was_there_before(
    client: stripe.StripeClient, control: Control
) -> None:
    """docs.stripe.com/api/events/object: previous_attributes of *.updated events."""
    made = client.v1.customers.create({"name": "Amelia", "phone": "1"}).id
    client.v1.customers.update(made, {"name": "Bessie"})
    event = control.events()[-1]
    assert (event["type"], event["data"]["previous_attributes"]) == ("customer.updated", {"name": "Amelia"})


def test_a_cards_owner_is_on_its_charge(client: stripe.StripeClient) -> None:
    """docs.stripe.com/api/payment_methods/create: billing_details, at the charge too."""
    method = client.v1.payment_methods.create(
        {
            "type": "card",
            "card": {"token": "tok_visa"},
            "billing_details": {"name": "Amelia", "address": {"postal_code": "66002"}},
        }
    ).id
    client.v1.payment_methods.update(method, {"billing_details": {"email": "a@example.com"}})
    intent = client.v1.payment_intents.create(
        {"amount": 500, "currency": "usd", "payment_method": method, "confirm": True}
    )
    details = client.v1.charges.retrieve(str(intent.latest_charge)).to_dict()["billing_details"]
    assert (details["name"], details["email"]) == ("Amelia", "a@example.com")
    assert details["address"]["postal_code"] == "66002"


def test_a_customers_card_is_retrieved_by_its_owner_only(client: stripe.StripeClient) -> None:
    """docs.stripe.com/api/payment_methods/customer."""
    owner, other = (client.v1.customers.create({"name": name}).id for name in "AB")
    card = client.v1.payment_methods.attach("pm_card_visa", {"customer": owner}).id
    assert client.v1.customers.payment_methods.retrieve(owner, card).id == card
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.customers.payment_methods.retrieve(other, card)
    assert refused.value.code == "resource_missing"


def test_an_endpoints_description_changes(client: stripe.StripeClient) -> None:
    """docs.stripe.com/api/webhook_endpoints/update."""
    given = {"url": "http://127.0.0.1:9/", "enabled_events": ["*"], "description": "one"}
    made = client.v1.webhook_endpoints.create(given).id  # type: ignore[arg-type]
    assert client.v1.webhook_endpoints.update(made, {"description": "two"}).description == "two"


def test_a_key_of_metadata_may_be_a_number(client: stripe.StripeClient) -> None:
    """docs.stripe.com/api/metadata: keys are any text."""
    made = client.v1.customers.create({"metadata": {"7": "seven", "3": "three"}})
    assert made.to_dict()["metadata"] == {"7": "seven", "3": "three"}


def test_the_context_is_the_account_to_act_for_and_the_answer_names_it(
    stripe_sim: StripeSim, control: Control, payee: str
) -> None:
    """docs.stripe.com/context; stripe-node reads lastResponse.stripeAccount from the answer."""
    control.fund(10_000, account=payee)
    with httpx.Client(base_url=stripe_sim.api_base, headers={"Authorization": _bearer(stripe_sim)}) as http:
        for header in ("Stripe-Context", "Stripe-Account"):
            answer = http.get("/v1/balance", headers={header: payee})
            assert answer.json()["available"][0]["amount"] == 10_000
            assert answer.headers["Stripe-Account"] == payee
        both = {"Stripe-Context": payee, "Stripe-Account": "acct_of_nobody"}
        assert http.get("/v1/balance", headers=both).status_code == 200
        assert http.get("/v1/balance", headers={"Stripe-Context": "acct_of_nobody"}).status_code == 403
        assert "Stripe-Account" not in http.get("/v1/balance").headers


def _bearer(stripe_sim: StripeSim) -> str:
    return f"Bearer {stripe_sim.secret_key}"
