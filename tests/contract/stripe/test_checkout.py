"""Checkout sessions and payment links, paid on their pages.

Sources: docs.stripe.com/api/checkout/sessions, docs.stripe.com/checkout/fulfillment,
docs.stripe.com/api/payment-link.
"""

from typing import Any

import httpx
import pytest
import stripe

from hobbs.local.stripe_sim.control import Control
from tests.contract.stripe.shapes import misfits
from tests.contract.stripe.test_payments import types

Doc = dict[str, Any]
DAY_S = 86_400
ITEM = {
    "price_data": {"currency": "usd", "unit_amount": 17_250, "product_data": {"name": "Flight 17"}},
    "quantity": 2,
}
URLS = {
    "success_url": "https://school.example/paid?session={CHECKOUT_SESSION_ID}",
    "cancel_url": "https://school.example/back",
}


def opened(client: stripe.StripeClient, **more: object) -> Doc:
    given = {"mode": "payment", "line_items": [ITEM], **URLS, **more}
    session: Doc = client.v1.checkout.sessions.create(given).to_dict()  # type: ignore[arg-type]
    return session


def setup_session(client: stripe.StripeClient, **more: object) -> Doc:
    given = {"mode": "setup", "currency": "usd", **URLS, **more}
    session: Doc = client.v1.checkout.sessions.create(given).to_dict()  # type: ignore[arg-type]
    return session


def press(session: Doc, action: str = "pay", method: str = "pm_card_visa", **more: str) -> httpx.Response:
    return httpx.post(session["url"], data={"action": action, "payment_method": method, **more})


def now(client: stripe.StripeClient, session: Doc) -> Doc:
    found: Doc = client.v1.checkout.sessions.retrieve(session["id"]).to_dict()
    return found


def test_a_session_is_paid_on_its_page(client: stripe.StripeClient, control: Control) -> None:
    """docs.stripe.com/checkout/fulfillment, …/upgrades#2022-08-01 (no payment intent before)."""
    data = {"metadata": {"hobbs_student": "S17"}, "description": "Flight 17"}
    session = opened(client, payment_intent_data=data, client_reference_id="S17", metadata={"a": "b"})
    assert (session["status"], session["payment_status"], session["payment_intent"]) == (
        "open",
        "unpaid",
        None,
    )
    assert (session["amount_total"], session["currency"]) == (34_500, "usd")
    assert misfits(session, "checkout.session") == []
    shown = httpx.get(session["url"])
    assert shown.status_code == 200
    assert all(word in shown.text for word in ("Pay", "Be declined", "Cancel"))
    answered = press(session, email="s17@example.com", name="Sam Seventeen")
    assert answered.headers["location"] == f"https://school.example/paid?session={session['id']}"
    done = now(client, session)
    assert (done["status"], done["payment_status"], done["url"]) == ("complete", "paid", None)
    assert done["customer_details"]["email"] == "s17@example.com"
    intent = client.v1.payment_intents.retrieve(done["payment_intent"]).to_dict()
    assert (intent["status"], intent["amount"]) == ("succeeded", 34_500)
    assert intent["metadata"] == {"hobbs_student": "S17"}
    # The charge's balance transaction comes a moment later.
    assert [type for type in types(control) if type != "charge.updated"][-1] == "checkout.session.completed"
    assert misfits(done, "checkout.session") == []
    assert press(session).status_code == 303


def test_a_declined_payer_may_try_again(client: stripe.StripeClient, control: Control) -> None:
    """docs.stripe.com/payments/checkout/how-checkout-works: the session stays open."""
    session = opened(client)
    refused = press(session, "decline")
    assert refused.status_code == 402
    assert "Your card was declined." in refused.text
    first = now(client, session)
    assert first["status"] == "open"
    press(session)
    done = now(client, session)
    assert (done["status"], done["payment_intent"]) == ("complete", first["payment_intent"])
    assert types(control).count("payment_intent.payment_failed") == 1


def test_a_payer_who_turns_back_leaves_the_session_open(client: stripe.StripeClient) -> None:
    """docs.stripe.com/api/checkout/sessions/object: cancel_url."""
    session = opened(client)
    assert press(session, "cancel").headers["location"] == URLS["cancel_url"]
    assert now(client, session)["status"] == "open"


@pytest.mark.parametrize(("outcome", "status"), [("complete", "complete"), ("fail", "open")])
def test_a_session_goes_by_the_banks_page(client: stripe.StripeClient, outcome: str, status: str) -> None:
    """docs.stripe.com/payments/3d-secure/authentication-flow: Checkout authenticates by itself."""
    session = opened(client)
    page = press(session, method="pm_card_threeDSecure2Required").headers["location"]
    assert "/3ds/pi_" in page
    back = httpx.post(page, data={"outcome": outcome}).headers["location"]
    assert back.startswith(session["url"])
    assert now(client, session)["status"] == status


@pytest.mark.parametrize(
    ("token", "event", "payment_status"),
    [
        ("pm_usBankAccount_success", "checkout.session.async_payment_succeeded", "paid"),
        ("pm_usBankAccount_insufficientFunds", "checkout.session.async_payment_failed", "unpaid"),
    ],
)
def test_a_bank_debit_ends_days_after_the_session(
    client: stripe.StripeClient, control: Control, token: str, event: str, payment_status: str
) -> None:
    """docs.stripe.com/checkout/fulfillment: delayed payment methods."""
    session = opened(client)
    press(session, method=token)
    done = now(client, session)
    assert (done["status"], done["payment_status"]) == ("complete", "unpaid")
    assert "checkout.session.completed" in types(control)
    control.advance(5 * DAY_S)
    assert now(client, session)["payment_status"] == payment_status
    sent = [one for one in control.events() if one["type"] == event]
    assert [one["data"]["object"]["id"] for one in sent] == [session["id"]]


def test_a_session_nobody_pays_expires_after_a_day(client: stripe.StripeClient, control: Control) -> None:
    """docs.stripe.com/api/checkout/sessions/object: expires_at is 24 hours from creation."""
    session = opened(client)
    assert session["expires_at"] - session["created"] == DAY_S
    control.advance(DAY_S + 60)
    done = now(client, session)
    assert (done["status"], done["url"]) == ("expired", None)
    assert types(control)[-1] == "checkout.session.expired"
    assert httpx.get(session["url"]).status_code == 410


def test_an_open_session_is_expired_on_demand_and_no_other(client: stripe.StripeClient) -> None:
    """docs.stripe.com/api/checkout/sessions/expire; the sentence is quoted by public repositories."""
    session = opened(client)
    assert client.v1.checkout.sessions.expire(session["id"]).status == "expired"
    with pytest.raises(stripe.InvalidRequestError, match=r'status in \["open"\]'):
        client.v1.checkout.sessions.expire(session["id"])


def test_a_setup_session_saves_a_card_for_a_customer(client: stripe.StripeClient, control: Control) -> None:
    """docs.stripe.com/payments/save-and-reuse?platform=checkout."""
    owner = client.v1.customers.create({"email": "s17@example.com"}).id
    session = setup_session(client, customer=owner, setup_intent_data={"metadata": {"hobbs_student": "S17"}})
    assert (session["payment_status"], session["amount_total"]) == ("no_payment_required", None)
    assert misfits(session, "checkout.session") == []
    assert press(session, "decline").status_code == 402
    assert press(session).status_code == 303
    done = now(client, session)
    assert (done["status"], done["payment_status"]) == ("complete", "no_payment_required")
    intent = client.v1.setup_intents.retrieve(done["setup_intent"]).to_dict()
    assert (intent["status"], intent["metadata"]) == ("succeeded", {"hobbs_student": "S17"})
    assert [one.id for one in client.v1.payment_methods.list({"customer": owner}).data] == [
        intent["payment_method"]
    ]


def test_a_setup_session_saves_a_bank_account_that_is_verified(client: stripe.StripeClient) -> None:
    """docs.stripe.com/payments/ach-direct-debit/set-up-payment: Checkout verifies and takes the mandate."""
    owner = client.v1.customers.create({"email": "s17@example.com"}).id
    session = setup_session(client, customer=owner)
    press(session, method="pm_usBankAccount_success")
    saved = client.v1.payment_methods.list({"customer": owner}).data[0].id
    intent = client.v1.payment_intents.create(
        {
            "amount": 5_000,
            "currency": "usd",
            "customer": owner,
            "payment_method": saved,
            "confirm": True,
            "off_session": True,
        }
    )
    assert intent.status == "processing"


def test_the_setup_intent_of_a_session_is_the_sessions(client: stripe.StripeClient) -> None:
    """docs.stripe.com/api/checkout/sessions/object, setup_intent: it cannot be confirmed or canceled."""
    session = setup_session(client)
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.setup_intents.cancel(session["setup_intent"])
    client.v1.checkout.sessions.expire(session["id"])
    assert client.v1.setup_intents.retrieve(session["setup_intent"]).status == "canceled"


def test_a_session_makes_the_customer_that_saving_needs(client: stripe.StripeClient) -> None:
    """docs.stripe.com/api/checkout/sessions/create: customer_creation, setup_future_usage."""
    session = opened(client, payment_intent_data={"setup_future_usage": "off_session"})
    press(session, email="s17@example.com")
    owner = now(client, session)["customer"]
    assert client.v1.customers.retrieve(owner).email == "s17@example.com"
    assert len(client.v1.payment_methods.list({"customer": owner}).data) == 1


def test_sessions_are_listed_with_their_items(client: stripe.StripeClient) -> None:
    """docs.stripe.com/api/checkout/sessions/list and …/line_items; line_items only where expanded."""
    first, second = opened(client), opened(client)
    client.v1.checkout.sessions.expire(first["id"])
    still = client.v1.checkout.sessions.list({"status": "open", "expand": ["data.line_items"]}).data
    assert [one.id for one in still] == [second["id"]]
    expanded = still[0].to_dict()["line_items"]["data"]
    items = client.v1.checkout.sessions.line_items.list(second["id"]).data
    assert [item.to_dict() for item in items] == expanded
    assert (items[0].amount_total, items[0].quantity) == (34_500, 2)
    assert misfits(expanded[0], "item") == []
    assert "line_items" not in second


@pytest.mark.parametrize(
    ("given", "param"),
    [
        ({"line_items": []}, "line_items"),
        ({"mode": "setup"}, "currency"),
        ({"mode": "setup", "currency": "usd", "line_items": [ITEM]}, "line_items"),
        ({"expires_at": 1}, "expires_at"),
        ({"success_url": ""}, "success_url"),
        ({"line_items": [{"price": "price_none", "quantity": 1}]}, "line_items[0][price]"),
        ({"line_items": [ITEM | {"quantity": 0}]}, "quantity"),
        ({"setup_intent_data": {"description": "x"}}, "setup_intent_data"),
        ({"mode": "subscription"}, "mode"),
        ({"ui_mode": "embedded_page"}, "ui_mode"),
        ({"automatic_tax": {"enabled": True}}, "automatic_tax"),
    ],
)
def test_a_session_that_stripe_would_not_open_is_refused(
    client: stripe.StripeClient, given: Doc, param: str
) -> None:
    """docs.stripe.com/api/checkout/sessions/create; subscriptions and embedded pages are not simulated."""
    whole = {
        "mode": "payment",
        **URLS,
        **({} if given.get("mode") == "setup" else {"line_items": [ITEM]}),
        **given,
    }
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.checkout.sessions.create(whole)  # type: ignore[arg-type]
    assert refused.value.param == param


def test_a_session_is_paid_by_a_trigger(client: stripe.StripeClient, control: Control) -> None:
    session = opened(client)
    failed = control.trigger(
        "checkout.session.completed", session=session["id"], payment_method="pm_card_chargeDeclined"
    )
    assert failed["status"] == "open"
    assert control.trigger("checkout.session.completed", session=session["id"])["payment_status"] == "paid"
    assert [row["amount"] for row in control.effects(kind="charge")] == [34_500]


# Payment links


def linked(client: stripe.StripeClient, **more: object) -> Doc:
    product = client.v1.products.create({"name": "Flight 17"})
    price = client.v1.prices.create({"product": product.id, "currency": "usd", "unit_amount": 9_900})
    found = [*misfits(product.to_dict(), "product"), *misfits(price.to_dict(), "price")]
    assert found == []
    given = {"line_items": [{"price": price.id, "quantity": 1}], **more}
    link: Doc = client.v1.payment_links.create(given).to_dict()  # type: ignore[arg-type]
    return link


def test_a_link_opens_a_session_for_every_payer(client: stripe.StripeClient, control: Control) -> None:
    """docs.stripe.com/api/payment-link/create; metadata is copied to the session."""
    link = linked(
        client,
        metadata={"bill": "B17"},
        payment_intent_data={"metadata": {"hobbs_student": "S17"}},
        after_completion={"type": "redirect", "redirect": {"url": "https://school.example/thanks"}},
    )
    assert (link["active"], link["currency"]) == (True, "usd")
    assert misfits(link, "payment_link") == []
    pages = {httpx.get(link["url"]).headers["location"] for _ in range(2)}
    assert len(pages) == 2
    assert (
        httpx.post(pages.pop(), data={"action": "pay"}).headers["location"] == "https://school.example/thanks"
    )
    sessions = client.v1.checkout.sessions.list({"payment_link": link["id"]}).data
    paid = [one.to_dict() for one in sessions if one.status == "complete"]
    assert [(one["amount_total"], one["metadata"]) for one in paid] == [(9_900, {"bill": "B17"})]
    intent = client.v1.payment_intents.retrieve(paid[0]["payment_intent"])
    assert intent.metadata.to_dict() == {"hobbs_student": "S17"}
    assert types(control)[:3] == ["product.created", "price.created", "payment_link.created"]
    assert [found for one in paid for found in misfits(one, "checkout.session")] == []


def test_a_link_can_be_switched_off_and_used_up(client: stripe.StripeClient) -> None:
    """docs.stripe.com/payment-links: restrictions.completed_sessions, active, inactive_message."""
    link = linked(client, restrictions={"completed_sessions": {"limit": 1}}, inactive_message="Paid already.")
    httpx.post(httpx.get(link["url"]).headers["location"], data={"action": "pay"})
    used = httpx.get(link["url"])
    assert (used.status_code, "Paid already." in used.text) == (410, True)
    found = client.v1.payment_links.retrieve(link["id"]).to_dict()
    assert found["restrictions"]["completed_sessions"] == {"count": 1, "limit": 1}
    other = linked(client)
    assert client.v1.payment_links.update(other["id"], {"active": False}).active is False
    assert httpx.get(other["url"]).status_code == 410
    active = client.v1.payment_links.list({"active": True}).data
    assert [one.id for one in active] == [link["id"]]
    assert client.v1.payment_links.line_items.list(link["id"]).data[0].amount_total == 9_900


def test_prices_and_products_are_kept(client: stripe.StripeClient) -> None:
    """docs.stripe.com/api/prices: an inactive price sells nothing; recurring prices are not simulated."""
    product = client.v1.products.create({"name": "Dual hour", "metadata": {"aircraft": "N1"}})
    price = client.v1.prices.create({"product": product.id, "currency": "usd", "unit_amount": 6_500})
    client.v1.prices.update(price.id, {"active": False})
    assert [one.id for one in client.v1.prices.list({"product": product.id}).data] == [price.id]
    assert client.v1.products.update(product.id, {"name": "Dual"}).name == "Dual"
    with pytest.raises(stripe.InvalidRequestError, match="inactive"):
        opened(client, line_items=[{"price": price.id, "quantity": 1}])
    with pytest.raises(stripe.InvalidRequestError, match="does not simulate"):
        client.v1.prices.create(
            {"product": product.id, "currency": "usd", "unit_amount": 1, "recurring": {"interval": "month"}}
        )
