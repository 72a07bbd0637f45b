"""Checkout sessions in payment and setup mode: created, completed, expired. checkout_page.py is their page.

Sources: docs.stripe.com/api/checkout/sessions, docs.stripe.com/payments/checkout/how-checkout-works,
docs.stripe.com/checkout/fulfillment (delayed methods), docs.stripe.com/upgrades#2022-08-01 (the payment
intent is made when the payer pays).
"""

from hobbs.local.stripe_sim import (
    ach,
    catalog,
    customers,
    errors,
    forms,
    jobs,
    lists,
    not_simulated,
    payment_types,
    setup_intents,
)
from hobbs.local.stripe_sim.checkout_shapes import session_shape
from hobbs.local.stripe_sim.events import emit
from hobbs.local.stripe_sim.world import Call, Doc, World

DAY_S, SHORTEST_S = 86_400, 1_800
SIMULATED = (
    *("allowed_payment_method_types", "cancel_url", "client_reference_id", "currency", "customer"),
    *("customer_creation", "customer_email", "excluded_payment_method_types", "expires_at", "line_items"),
    *("metadata", "mode", "payment_intent_data", "setup_intent_data", "success_url", "ui_mode"),
)
ONLY_LOOKS = (
    *("billing_address_collection", "branding_settings", "custom_text", "locale", "origin_context"),
    *("phone_number_collection", "submit_type", "wallet_options"),
)
"""Taken without effect on the simulator's page."""


def create(world: World, call: Call) -> Doc:
    params = call.params
    not_simulated.refuse_others(params, (*SIMULATED, *ONLY_LOOKS), "Checkout")
    if "mode" not in params:
        raise errors.missing_param("mode")
    mode = forms.choice(params, "mode", ("payment", "setup", "subscription"), "payment")
    if mode == "subscription":
        raise errors.not_simulated("Checkout in subscription mode", "mode")
    if (
        forms.choice(params, "ui_mode", ("hosted_page", "embedded_page", "elements"), "hosted_page")
        != "hosted_page"
    ):
        raise errors.not_simulated("Checkout that is not a page of Stripe's", "ui_mode")
    forms.required_text(params, "success_url")
    return opened(world, params, mode, catalog.line_items(world, params, call.account), call.account)


def opened(
    world: World, params: Doc, mode: str, items: list[Doc], account: str, *, link: str | None = None
) -> Doc:
    """A new open session of `params`, for `items`, perhaps of the payment link `link`."""
    _check(world, params, mode, items, account)
    currency = items[0]["currency"] if items else forms.text(params, "currency")
    doc = session_shape(
        world, params, mode, currency=currency, total=sum(item["amount_total"] for item in items)
    )
    doc |= {
        "expires_at": _expires_at(world, params),
        "payment_link": link,
        "payment_method_types": payment_types.offered(params, currency),
        "_items": items,
        "_intent": forms.nested(params, "payment_intent_data"),
        "_success_url": forms.text(params, "success_url"),
    }
    if mode == "setup":
        doc["setup_intent"] = _setup_intent(world, params, doc, account)
    world.store.insert(doc, account)
    jobs.schedule(world, "checkout_expires", doc["id"], doc["expires_at"] - world.clock.now())
    return doc


def _check(world: World, params: Doc, mode: str, items: list[Doc], account: str) -> None:
    if mode == "payment" and not items:
        raise errors.missing_param("line_items")
    if mode == "setup" and items:
        raise errors.invalid_param("line_items", "You can not pass `line_items` in `setup` mode.")
    if mode == "setup" and not ("currency" in params or payment_types.NEW in params):
        raise errors.missing_param("currency")
    for name, belongs in (("payment_intent_data", "payment"), ("setup_intent_data", "setup")):
        if name in params and mode != belongs:
            raise errors.invalid_param(name, f"You can not pass `{name}` in `{mode}` mode.")
    customer = forms.text(params, "customer")
    if customer is not None and "customer_email" in params:
        raise errors.invalid_param(
            "customer_email", "You may only specify one of these parameters: customer, customer_email."
        )
    if customer is not None:
        customers.found(world, customer, account, "customer", status=400)


def _expires_at(world: World, params: Doc) -> int:
    """At most a day from now, which is the default, and at least half an hour."""
    wanted = forms.integer(params, "expires_at", world.now + DAY_S) or 0
    if wanted > world.now + DAY_S:
        raise errors.invalid_param(
            "expires_at",
            "The `expires_at` timestamp must be less than 24 hours from Checkout Session creation.",
        )
    if wanted < world.now + SHORTEST_S - 1:
        raise errors.invalid_param(
            "expires_at",
            "The `expires_at` timestamp must be at least 30 minutes from Checkout Session creation.",
        )
    return wanted


def _setup_intent(world: World, params: Doc, doc: Doc, account: str) -> str:
    given = forms.nested(params, "setup_intent_data")
    wanted = {"customer": doc["customer"], "usage": "off_session"} | {
        name: given[name] for name in ("metadata", "description") if name in given
    }
    intent = setup_intents.new(world, wanted, account)
    intent |= {"_checkout": doc["id"], "payment_method_types": doc["payment_method_types"]}
    world.store.save(intent)
    return str(intent["id"])


# What ends a session


def complete(world: World, doc: Doc, payment_status: str, account: str) -> None:
    doc |= {"status": "complete", "payment_status": payment_status, "url": None}
    jobs.cancel(world, "checkout_expires", doc["id"])
    world.store.save(doc)
    emit(world, "checkout.session.completed", doc, account=account)


def expire_now(world: World, session_id: str) -> None:
    """Job: nobody paid in time; its setup intent is canceled with it."""
    doc, account = world.store.find(session_id), world.store.account_of(session_id)
    if doc is None or account is None or doc["status"] != "open":
        return
    doc |= {"status": "expired", "url": None}
    jobs.cancel(world, "checkout_expires", session_id)
    world.store.save(doc)
    for intent_id in filter(None, (doc["setup_intent"], doc["payment_intent"])):
        intent = world.store.find(intent_id)
        if intent is not None and intent["status"] not in ("succeeded", "canceled"):
            intent |= {"status": "canceled", "cancellation_reason": "abandoned"}
            world.store.save(intent)
            emit(world, f"{intent['object']}.canceled", intent, account=account)
    emit(world, "checkout.session.expired", doc, account=account)


def bank_debit_ends(world: World, charge_id: str) -> None:
    """Job: the bank answered a debit; the session that it was for says how it went."""
    intent = ach.end(world, charge_id)
    account = world.store.account_of(charge_id)
    if intent is None or account is None or not intent.get("_checkout"):
        return
    doc = world.store.get("checkout.session", intent["_checkout"], account)
    assert doc is not None
    paid = intent["status"] == "succeeded"
    if paid:
        world.store.save(doc | {"payment_status": "paid"})
        doc["payment_status"] = "paid"
    kind = "succeeded" if paid else "failed"
    emit(world, f"checkout.session.async_payment_{kind}", doc, account=account)


# Endpoints


def retrieve(world: World, call: Call) -> Doc:
    return _with_items(_found(world, call), call)


def _found(world: World, call: Call) -> Doc:
    doc = world.store.get("checkout.session", call.ids["id"], call.account)
    if doc is None:
        raise errors.no_such("checkout.session", call.ids["id"])
    return doc


def _with_items(doc: Doc, call: Call) -> Doc:
    """Add line_items where they are asked for; they are not there otherwise."""
    paths = forms.strings(call.params, "expand")
    if any(path.removeprefix("data.").split(".")[0] == "line_items" for path in paths):
        doc["line_items"] = lists.as_list(f"/v1/checkout/sessions/{doc['id']}/line_items", doc["_items"])
    return doc


def update(world: World, call: Call) -> Doc:
    doc = _found(world, call)
    not_simulated.refuse_others(call.params, ("metadata",), "updating a Checkout session")
    doc["metadata"] = forms.metadata(call.params, doc["metadata"])
    return world.store.save(doc)


def expire(world: World, call: Call) -> Doc:
    """The sentence is quoted by public repositories."""
    doc = _found(world, call)
    if doc["status"] != "open":
        raise errors.refused(
            'Only Checkout Sessions with a status in ["open"] can be expired. This Session has a status of '
            f"`{doc['status']}`."
        )
    expire_now(world, doc["id"])
    return _found(world, call)


def list_all(world: World, call: Call) -> Doc:
    details = call.params.pop("customer_details", None) or {}
    email = details.get("email")

    def keep(doc: Doc) -> bool:
        return email is None or (doc["customer_details"] or {}).get("email") == email

    page = lists.listing(world, call, "checkout.session", keep=keep)
    page["data"] = [_with_items(doc, call) for doc in page["data"]]
    return page


def list_line_items(world: World, call: Call) -> Doc:
    return lists.as_list(call.path, _found(world, call)["_items"])
