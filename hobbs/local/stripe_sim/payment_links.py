"""Payment links: an address that makes a new Checkout session for every payer who opens it.

Sources: docs.stripe.com/api/payment-link, docs.stripe.com/payment-links/post-payment.
"""

from hobbs.local.stripe_sim import catalog, checkout, errors, forms, html, lists, not_simulated
from hobbs.local.stripe_sim.checkout_shapes import link_id
from hobbs.local.stripe_sim.events import emit
from hobbs.local.stripe_sim.http import Answer, Request
from hobbs.local.stripe_sim.identifiers import random_text
from hobbs.local.stripe_sim.world import Call, Doc, World

NULLS = (
    "application",
    "application_fee_amount",
    "application_fee_percent",
    "consent_collection",
    "invoice_creation",
    "on_behalf_of",
    "optional_items",
    "payment_method_options",
    "shipping_address_collection",
    "subscription_data",
    "transfer_data",
)
UPDATABLE = (
    *("active", "after_completion", "inactive_message", "metadata", "payment_intent_data", "restrictions"),
    *("billing_address_collection", "custom_text", "phone_number_collection", "submit_type"),
)
CREATABLE = (*UPDATABLE, "currency", "customer_creation", "line_items", "payment_method_types")
INTENT_TEXTS = ("capture_method", "description", "setup_future_usage")
MORE_TEXTS = ("statement_descriptor", "statement_descriptor_suffix", "transfer_group")


def create(world: World, call: Call) -> Doc:
    params = call.params
    not_simulated.refuse_others(params, CREATABLE, "payment links")
    items = catalog.line_items(world, params, call.account)
    if not items:
        raise errors.missing_param("line_items")
    doc: Doc = {
        **dict.fromkeys(NULLS),
        "id": link_id(),
        "object": "payment_link",
        "active": True,
        "after_completion": _after_completion(params),
        "allow_promotion_codes": False,
        "automatic_tax": {"enabled": False, "liability": None},
        "billing_address_collection": "auto",
        "currency": items[0]["currency"],
        "custom_fields": [],
        "custom_text": dict.fromkeys(
            ("after_submit", "shipping_address", "submit", "terms_of_service_acceptance")
        ),
        "customer_creation": forms.choice(
            params, "customer_creation", ("always", "if_required"), "if_required"
        ),
        "inactive_message": forms.text(params, "inactive_message"),
        "livemode": False,
        "metadata": forms.metadata(params),
        "payment_intent_data": _intent_data(params),
        "payment_method_collection": "always",
        "payment_method_types": forms.strings(params, "payment_method_types") or None,
        "phone_number_collection": {"enabled": False},
        "restrictions": _restrictions(params),
        "shipping_options": [],
        "submit_type": forms.text(params, "submit_type") or "auto",
        "tax_id_collection": {"enabled": False, "required": "never"},
        "url": f"{world.public_url}/b/test_{random_text(20)}",
        "_items": items,
    }
    world.store.insert(doc, call.account, created=world.now)
    world.store.put_setting(f"payment_link/{doc['url'].rpartition('/')[2]}", doc["id"])
    emit(world, "payment_link.created", doc, account=call.account)
    return doc


def _after_completion(params: Doc) -> Doc:
    given = forms.nested(params, "after_completion")
    type = forms.choice(given, "type", ("hosted_confirmation", "redirect"), "hosted_confirmation")
    if type == "redirect":
        return {
            "type": type,
            "redirect": {"url": forms.required_text(forms.nested(given, "redirect"), "url")},
        }
    message = forms.text(forms.nested(given, "hosted_confirmation"), "custom_message")
    return {"type": type, "hosted_confirmation": {"custom_message": message}}


def _intent_data(params: Doc) -> Doc | None:
    given = forms.nested(params, "payment_intent_data")
    if not given:
        return None
    texts = {name: forms.text(given, name) for name in (*INTENT_TEXTS, *MORE_TEXTS)}
    return {**texts, "metadata": forms.metadata(given)}


def _restrictions(params: Doc) -> Doc | None:
    limit = forms.integer(forms.nested(forms.nested(params, "restrictions"), "completed_sessions"), "limit")
    return None if limit is None else {"completed_sessions": {"count": 0, "limit": limit}}


def retrieve(world: World, call: Call) -> Doc:
    doc = world.store.get("payment_link", call.ids["id"], call.account)
    if doc is None:
        raise errors.no_such("payment_link", call.ids["id"], "payment_link")
    return _counted(world, doc, call.account)


def _counted(world: World, doc: Doc, account: str) -> Doc:
    """The link with the number of its sessions that were completed."""
    if doc["restrictions"]:
        sessions = world.store.newest("checkout.session", account)
        done = [one for one in sessions if one["payment_link"] == doc["id"] and one["status"] == "complete"]
        doc["restrictions"]["completed_sessions"]["count"] = len(done)
    return doc


def update(world: World, call: Call) -> Doc:
    doc, params = retrieve(world, call), call.params
    not_simulated.refuse_others(params, UPDATABLE, "updating a payment link")
    doc["active"] = forms.boolean(params, "active", doc["active"])
    doc["metadata"] = forms.metadata(params, doc["metadata"])
    if "after_completion" in params:
        doc["after_completion"] = _after_completion(params)
    if "inactive_message" in params:
        doc["inactive_message"] = forms.text(params, "inactive_message")
    if "payment_intent_data" in params:
        doc["payment_intent_data"] = _intent_data(params)
    if "restrictions" in params:
        doc["restrictions"] = _restrictions(params)
    world.store.save(doc)
    emit(world, "payment_link.updated", doc, account=call.account)
    return doc


def list_all(world: World, call: Call) -> Doc:
    return lists.listing(world, call, "payment_link")


def list_line_items(world: World, call: Call) -> Doc:
    return lists.as_list(call.path, retrieve(world, call)["_items"])


# The page


def page(world: World, token: str, request: Request) -> Answer:
    """Open a session and send the payer to its page."""
    named = world.store.setting(f"payment_link/{token}")
    found = world.store.find(named) if named else None
    if found is None:
        return html.show(404, "There is no such page.")
    account = world.store.account_of(found["id"]) or ""
    doc = _counted(world, found, account)
    if not doc["active"] or _is_used_up(doc):
        return html.show(410, doc["inactive_message"] or "This link is no longer active.")
    with world.store.transaction():
        session = _session(world, doc, html.form(request), account)
    return html.go(session["url"])


def _is_used_up(doc: Doc) -> bool:
    limits = (doc["restrictions"] or {}).get("completed_sessions")
    return limits is not None and limits["count"] >= limits["limit"]


def _session(world: World, doc: Doc, given: Doc, account: str) -> Doc:
    params: Doc = {"customer_creation": doc["customer_creation"], "metadata": dict(doc["metadata"])}
    if doc["payment_method_types"]:
        params["allowed_payment_method_types"] = doc["payment_method_types"]
    if given.get("prefilled_email"):
        params["customer_email"] = given["prefilled_email"]
    if given.get("client_reference_id"):
        params["client_reference_id"] = given["client_reference_id"]
    if doc["payment_intent_data"]:
        data = {name: value for name, value in doc["payment_intent_data"].items() if value is not None}
        params["payment_intent_data"] = data
    session = checkout.opened(world, params, "payment", doc["_items"], account, link=doc["id"])
    redirect = doc["after_completion"].get("redirect")
    return world.store.save(session | {"_success_url": redirect["url"] if redirect else None})
