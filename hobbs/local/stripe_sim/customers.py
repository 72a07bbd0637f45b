"""Customers and their payment methods. setup_intents.py saves a method for later."""

from hobbs.local.stripe_sim import (
    bank_accounts,
    details,
    errors,
    forms,
    lists,
    single_use,
    test_cards,
)
from hobbs.local.stripe_sim.events import emit
from hobbs.local.stripe_sim.identifiers import new_id, random_text
from hobbs.local.stripe_sim.world import Call, Doc, World

TEXTS = ("description", "email", "name", "phone")


def create(world: World, call: Call) -> Doc:
    params = call.params
    doc: Doc = {
        "id": new_id("cus", 14),
        "object": "customer",
        "address": details.address(params, "address"),
        "balance": 0,
        "created": world.now,
        "currency": None,
        "customer_account": None,
        "default_source": None,
        "delinquent": False,
        "discount": None,
        "invoice_prefix": random_text(8).upper(),
        "invoice_settings": _invoice_settings(params),
        "livemode": False,
        "metadata": forms.metadata(params),
        "next_invoice_sequence": 1,
        "preferred_locales": forms.strings(params, "preferred_locales"),
        "shipping": details.shipping(params),
        "tax_exempt": "none",
        "test_clock": None,
        **{name: forms.text(params, name) for name in TEXTS},
    }
    token = forms.text(params, "payment_method")
    method = payment_method(world, token, call.account) if token else None
    if method is not None:
        refuse_declining(method)
    world.store.insert(doc, call.account)
    if method is not None:
        attach(world, method, doc["id"], call.account)
    emit(world, "customer.created", doc, account=call.account)
    return doc


def _invoice_settings(params: Doc) -> Doc:
    empty = {"custom_fields": None, "default_payment_method": None, "footer": None, "rendering_options": None}
    return empty | forms.nested(params, "invoice_settings")


def found(world: World, id: str, account: str, param: str = "id", *, status: int = 404) -> Doc:
    doc = world.store.get("customer", id, account)
    if doc is None:
        raise errors.no_such("customer", id, param, status=status)
    return doc


def retrieve(world: World, call: Call) -> Doc:
    doc = found(world, call.ids["id"], call.account)
    return {"id": doc["id"], "object": "customer", "deleted": True} if doc.get("deleted") else doc


def update(world: World, call: Call) -> Doc:
    doc, params = found(world, call.ids["id"], call.account), call.params
    before = dict(doc)
    doc["metadata"] = forms.metadata(params, doc["metadata"])
    doc |= {name: forms.text(params, name) for name in TEXTS if name in params}
    doc["address"] = details.address(params, "address", doc["address"])
    doc["shipping"] = details.shipping(params, doc["shipping"])
    if "preferred_locales" in params:
        doc["preferred_locales"] = forms.strings(params, "preferred_locales")
    doc["invoice_settings"] = doc["invoice_settings"] | forms.nested(params, "invoice_settings")
    world.store.save(doc)
    emit(world, "customer.updated", doc, account=call.account, previous=details.changed(before, doc))
    return doc


def delete(world: World, call: Call) -> Doc:
    doc = found(world, call.ids["id"], call.account)
    world.store.save(doc | {"deleted": True})
    emit(world, "customer.deleted", doc, account=call.account)
    return {"id": doc["id"], "object": "customer", "deleted": True}


def list_all(world: World, call: Call) -> Doc:
    return lists.listing(world, call, "customer", keep=lambda doc: not doc.get("deleted"))


# Payment methods


def payment_method(world: World, token: str, account: str, param: str = "payment_method") -> Doc:
    """An existing payment method, or a new one from a test token; using the same token twice gives two."""
    name = test_cards.named(token)
    if name is not None:
        return world.store.insert(_card(world, name), account)
    if token in bank_accounts.TOKENS:
        return world.store.insert(bank_accounts.payment_method(world, bank_accounts.TOKENS[token]), account)
    doc = world.store.get("payment_method", token, account)
    if doc is None:
        raise errors.no_such("PaymentMethod", token, param, status=400)
    return doc


def _card(world: World, name: str) -> Doc:
    card = test_cards.CARDS[name]
    return {
        "id": new_id("pm"),
        "object": "payment_method",
        "allow_redisplay": "unspecified",
        "billing_details": details.billing_details({}),
        "card": {
            "brand": card.brand,
            "checks": {"address_line1_check": None, "address_postal_code_check": None, "cvc_check": "pass"},
            "country": "US",
            "display_brand": card.brand,
            "exp_month": 12,
            "exp_year": 2034,
            "fingerprint": f"simulated{card.last4}",
            "funding": "credit",
            "generated_from": None,
            "last4": card.last4,
            "networks": {"available": [card.brand], "preferred": None},
            "regulated_status": "unregulated",
            "three_d_secure_usage": {"supported": True},
            "wallet": None,
        },
        "created": world.now,
        "customer": None,
        "customer_account": None,
        "livemode": False,
        "metadata": {},
        "type": "card",
        "_card": name,
    }


def attach(world: World, method: Doc, customer: str, account: str) -> Doc:
    if method["customer"] not in (None, customer):
        raise errors.refused("The payment method you provided has already been attached to a customer.")
    single_use.refuse_attaching(method)
    method["customer"] = customer
    world.store.save(method)
    world.store.mark(method["id"], "payment_method.customer", customer)
    emit(world, "payment_method.attached", method, account=account)
    return method


def create_payment_method(world: World, call: Call) -> Doc:
    if forms.choice(call.params, "type", ("card", "us_bank_account"), "card") == "us_bank_account":
        return world.store.insert(bank_accounts.from_params(world, call.params), call.account)
    card = forms.nested(call.params, "card")
    token = forms.text(card, "token") or forms.text(card, "number") or ""
    name = test_cards.named(token)
    if name is None:
        raise errors.no_such("token", token, "card[token]", status=400)
    doc = _card(world, name) | {
        "billing_details": details.billing_details(call.params),
        "metadata": forms.metadata(call.params),
    }
    return world.store.insert(doc, call.account)


def _method(world: World, call: Call) -> Doc:
    return payment_method(world, call.ids["id"], call.account, "id")


def retrieve_payment_method(world: World, call: Call) -> Doc:
    doc = world.store.get("payment_method", call.ids["id"], call.account)
    if doc is None or call.ids.get("customer") not in (None, doc["customer"]):
        raise errors.no_such("PaymentMethod", call.ids["id"])
    return doc


def attach_payment_method(world: World, call: Call) -> Doc:
    customer = forms.required_text(call.params, "customer")
    found(world, customer, call.account, "customer", status=400)
    method = _method(world, call)
    refuse_declining(method)
    return attach(world, method, customer, call.account)


def refuse_declining(method: Doc) -> None:
    """A card that declines cannot be attached: docs.stripe.com/testing (declined payments)."""
    card = test_cards.CARDS.get(method.get("_card", ""))
    decline = None if card is None else test_cards.setup_decline(card)
    if decline is not None:
        raise errors.card_declined(decline.message, decline.code, decline.decline_code, None)


def detach_payment_method(world: World, call: Call) -> Doc:
    doc = retrieve_payment_method(world, call)
    if doc["customer"] is None:
        raise errors.refused(
            "The payment method you provided is not attached to a customer so detachment is impossible."
        )
    doc["customer"] = None
    single_use.consume(world, doc)
    emit(world, "payment_method.detached", doc, account=call.account)
    return doc


def update_payment_method(world: World, call: Call) -> Doc:
    doc = retrieve_payment_method(world, call)
    doc["metadata"] = forms.metadata(call.params, doc["metadata"])
    doc["billing_details"] = details.billing_details(call.params, doc["billing_details"])
    card = forms.nested(call.params, "card")
    for name in ("exp_month", "exp_year"):
        if name in card:
            doc["card"][name] = forms.integer(card, name)
    world.store.save(doc)
    emit(world, "payment_method.updated", doc, account=call.account)
    return doc


def list_payment_methods(world: World, call: Call) -> Doc:
    if "id" in call.ids:
        call.params["customer"] = call.ids["id"]
    return lists.listing(world, call, "payment_method")
