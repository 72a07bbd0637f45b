"""The page of a Checkout session: the payer pays or saves a method, is declined, or turns back.

Source: docs.stripe.com/payments/checkout/how-checkout-works; after a decline the session stays open.
"""

from html import escape

from fleet.money import format_minor
from hobbs.local.stripe_sim import (
    bank_accounts,
    checkout,
    checkout_shapes,
    customers,
    errors,
    html,
    payment_intents,
    setup_intents,
    test_cards,
)
from hobbs.local.stripe_sim.http import Answer, Request
from hobbs.local.stripe_sim.world import Call, Doc, World

DECLINING = "pm_card_chargeDeclined"
MANDATE = {
    "customer_acceptance": {
        "type": "online",
        "online": {"ip_address": "127.0.0.1", "user_agent": "the simulator's Checkout page"},
    }
}
INTENT_TEXTS = (
    "capture_method",
    "description",
    "metadata",
    "receipt_email",
    "setup_future_usage",
    "statement_descriptor",
    "statement_descriptor_suffix",
    "transfer_group",
)


def page(world: World, session_id: str, request: Request) -> Answer:
    doc, account = world.store.find(session_id), world.store.account_of(session_id)
    if doc is None or account is None or doc.get("object") != "checkout.session":
        return html.show(404, "There is no such page.")
    if doc["status"] != "open":
        return ended(world, doc)
    if request.method != "POST":
        return html.show(200, _title(doc), _form(doc))
    given = html.form(request)
    action = given.get("action", "pay")
    if action == "cancel":
        return html.go(doc["cancel_url"]) if doc["cancel_url"] else html.show(200, "You may close this page.")
    if action not in ("pay", "decline"):
        return html.show(400, "The action is pay, decline or cancel.")
    token = DECLINING if action == "decline" else given.get("payment_method", "pm_card_visa")
    with world.store.transaction():
        try:
            intent = pay(world, doc, token, account, email=given.get("email"), name=given.get("name"))
        except errors.StripeError as refused:
            doc = world.store.find(session_id) or doc
            return html.show(refused.status, str(refused), _form(doc))
    return _after(world, session_id, intent)


def _title(doc: Doc) -> str:
    if doc["mode"] == "setup":
        return "Save a way to pay"
    return f"Pay {_money(doc['amount_total'], doc['currency'])}"


def _money(amount: int, currency: str) -> str:
    return f"{format_minor(amount, currency.upper())} {currency.upper()}"


def _form(doc: Doc) -> str:
    cards = [f"pm_card_{name}" for name in test_cards.CARDS]
    banks = list(bank_accounts.TOKENS) if "us_bank_account" in doc["payment_method_types"] else []
    fields = html.select("payment_method", "Test payment method", [*cards, *banks])
    fields += '<p><label>Email <input name="email" type="email"></label></p>'
    fields += '<p><label>Name <input name="name"></label></p>'
    choices = (("pay", "Pay"), ("decline", "Be declined"), ("cancel", "Cancel"))
    items = "".join(_line(item) for item in doc["_items"])
    return f"<ul>{items}</ul>" + html.buttons("action", *choices, fields=fields)


def _line(item: Doc) -> str:
    whole = _money(item["amount_total"], item["currency"])
    return f"<li>{item['quantity']} × {escape(item['description'] or 'item')}: {whole}</li>"


def _after(world: World, session_id: str, intent: Doc) -> Answer:
    action = intent["next_action"] or {}
    if intent["status"] == "requires_action" and action["type"] == "redirect_to_url":
        return html.go(action["redirect_to_url"]["url"])
    return ended(world, world.store.find(session_id) or {})


def ended(world: World, doc: Doc) -> Answer:
    """Where a payer goes who comes to a session that is over."""
    if doc["status"] == "expired":
        return html.show(410, "This page has expired.")
    url = doc["_success_url"]
    if not url:
        return html.show(200, "Thank you.")
    return html.go(url.replace("{CHECKOUT_SESSION_ID}", doc["id"]))


def pay(
    world: World, doc: Doc, token: str, account: str, *, email: str | None = None, name: str | None = None
) -> Doc:
    """Pay or set up with `token`; returns the intent. Raises StripeError when it is declined."""
    email = email or doc["customer_email"] or _customers_email(world, doc, account)
    doc["customer_details"] = checkout_shapes.customer_details(email, name)
    if _needs_customer(doc):
        params = {key: value for key, value in (("email", email), ("name", name)) if value}
        call = Call(method="POST", path="/v1/customers", params=params, account=account)
        doc["customer"] = customers.create(world, call)["id"]
    method = customers.payment_method(world, token, account)
    if method["type"] == "us_bank_account":
        method["_verified"] = True  # as Financial Connections does it on Stripe's page
        world.store.save(method)
    intent = _attempt(world, doc, method, account)
    follow(world, intent, account)
    return intent


def _customers_email(world: World, doc: Doc, account: str) -> str | None:
    found = world.store.get("customer", doc["customer"] or "", account)
    return None if found is None else found.get("email")


def _needs_customer(doc: Doc) -> bool:
    wanted = doc["customer_creation"] == "always" or bool(doc["_intent"].get("setup_future_usage"))
    return doc["customer"] is None and wanted


def _attempt(world: World, doc: Doc, method: Doc, account: str) -> Doc:
    params: Doc = {
        "payment_method": method["id"],
        "return_url": f"{world.public_url}/c/pay/{doc['id']}",
        "mandate_data": MANDATE,
    }
    if doc["mode"] == "setup":
        world.store.save(doc)
        intent = world.store.get("setup_intent", doc["setup_intent"], account)
        assert intent is not None
        intent["customer"] = doc["customer"]
        return setup_intents.attempt(world, intent, method, params, account)
    if doc["payment_intent"] is None:
        doc["payment_intent"] = _payment_intent(world, doc, account)
    world.store.save(doc)
    call = Call(method="POST", path="", params=params, ids={"id": doc["payment_intent"]}, account=account)
    return payment_intents.confirm(world, call)


def _payment_intent(world: World, doc: Doc, account: str) -> str:
    params: Doc = {name: doc["_intent"][name] for name in INTENT_TEXTS if name in doc["_intent"]}
    params |= {"amount": str(doc["amount_total"]), "currency": doc["currency"]}
    if doc["customer"]:
        params["customer"] = doc["customer"]
    call = Call(method="POST", path="/v1/payment_intents", params=params, account=account)
    intent = payment_intents.create(world, call)
    offers = {"_checkout": doc["id"], "payment_method_types": doc["payment_method_types"]}
    world.store.save(intent | offers)
    return str(intent["id"])


def follow(world: World, intent: Doc, account: str) -> None:
    """End the session of an intent that went through; nothing for an intent of no session."""
    doc = world.store.get("checkout.session", intent.get("_checkout") or "", account)
    if doc is None or doc["status"] != "open":
        return
    if intent["object"] == "setup_intent":
        if intent["status"] == "succeeded":
            checkout.complete(world, doc, "no_payment_required", account)
    elif intent["status"] == "succeeded":
        checkout.complete(world, doc, "paid", account)
    elif intent["status"] in ("processing", "requires_capture"):
        checkout.complete(world, doc, "unpaid", account)
