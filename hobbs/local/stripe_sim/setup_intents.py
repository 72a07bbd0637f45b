"""Setup intents: a payment method is saved for later, declined, or waits for its holder.

A declined confirmation gets 402 and still writes last_setup_error and its event, as for payment intents.
Sources: docs.stripe.com/payments/setupintents/lifecycle, docs.stripe.com/testing (cards that cannot be
attached, cards that authenticate), docs.stripe.com/api/setup_intents.
"""

from hobbs.local.stripe_sim import (
    customers,
    errors,
    forms,
    lists,
    mandates,
    next_actions,
    payment_types,
    setup_attempts,
    single_use,
    test_cards,
)
from hobbs.local.stripe_sim.events import emit
from hobbs.local.stripe_sim.identifiers import new_id, random_text
from hobbs.local.stripe_sim.test_cards import Decline
from hobbs.local.stripe_sim.world import Call, Doc, World, public

NULLS = (
    "application",
    "automatic_payment_methods",
    "cancellation_reason",
    "customer_account",
    "excluded_payment_method_types",
    "flow_directions",
    "last_setup_error",
    "latest_attempt",
    "mandate",
    "next_action",
    "on_behalf_of",
    "payment_method_configuration_details",
    "single_use_mandate",
)
OPEN = ("requires_payment_method", "requires_confirmation", "requires_action")
NOT_SIMULATED = ("on_behalf_of", "confirmation_token", "attach_to_self", "single_use", "payment_method_data")


def create(world: World, call: Call) -> Doc:
    for name in NOT_SIMULATED:
        if name in call.params:
            raise errors.not_simulated(name, name)
    doc = new(world, call.params, call.account)
    return _confirm(world, call, doc) if forms.boolean(call.params, "confirm") else doc


def new(world: World, params: Doc, account: str) -> Doc:
    customer, token = forms.text(params, "customer"), forms.text(params, "payment_method")
    if customer is not None:
        customers.found(world, customer, account, "customer", status=400)
    method = customers.payment_method(world, token, account)["id"] if token else None
    intent_id = new_id("seti")
    doc: Doc = {
        **dict.fromkeys(NULLS),
        "id": intent_id,
        "object": "setup_intent",
        "client_secret": f"{intent_id}_secret_{random_text(25)}",
        "created": world.now,
        "customer": customer,
        "description": forms.text(params, "description"),
        "livemode": False,
        "metadata": forms.metadata(params),
        "payment_method": method,
        "payment_method_options": {"card": {"request_three_d_secure": "automatic"}},
        "payment_method_types": payment_types.offered(params, None),
        payment_types.NEW: forms.strings(params, payment_types.NEW) or None,
        "status": "requires_confirmation" if method else "requires_payment_method",
        "usage": forms.choice(params, "usage", ("off_session", "on_session"), "off_session"),
    }
    automatic = forms.nested(params, "automatic_payment_methods")
    if forms.boolean(automatic, "enabled"):
        redirects = forms.choice(automatic, "allow_redirects", ("always", "never"), "always")
        doc["automatic_payment_methods"] = {"allow_redirects": redirects, "enabled": True}
    world.store.insert(doc, account)
    emit(world, "setup_intent.created", doc, account=account)
    return doc


def confirm(world: World, call: Call) -> Doc:
    doc = retrieve(world, call)
    _refuse_of_session(doc, "confirm")
    return _confirm(world, call, doc)


def _confirm(world: World, call: Call, doc: Doc) -> Doc:
    if doc["status"] not in OPEN:
        raise _unexpected(doc, "confirm")
    token = forms.text(call.params, "payment_method") or doc["payment_method"]
    if token is None:
        raise errors.refused(
            "You cannot confirm this SetupIntent because it's missing a payment method. Update the "
            "SetupIntent with a payment method and then confirm it again.",
            "setup_intent_unexpected_state",
        )
    method = customers.payment_method(world, token, call.account)
    if doc["customer"] and method["customer"] not in (None, doc["customer"]):
        raise errors.refused(
            "The PaymentMethod supplied belongs to a different Customer.", param="payment_method"
        )
    single_use.refuse_again(method)
    payment_types.renew(doc, call.params)
    payment_types.require(doc, method)
    return attempt(world, doc, method, call.params, call.account)


def attempt(world: World, doc: Doc, method: Doc, params: Doc, account: str) -> Doc:
    """Set up the method, ask its holder, or write the failure and raise the 402."""
    doc |= {"payment_method": method["id"], "last_setup_error": None, "next_action": None}
    setup_attempts.start(world, doc, method, account)
    if method["type"] == "us_bank_account":
        doc["mandate"] = mandates.accepted(world, doc, method, params, account)
        if not method["_verified"]:
            return _ask(world, doc, next_actions.microdeposits(world, doc["id"]), account)
        return _succeed(world, doc, method, account)
    if test_cards.asks_its_holder(method, off_session=False):
        back = forms.text(params, "return_url")
        return _ask(world, doc, next_actions.authentication(world, doc["id"], back), account)
    decline = test_cards.setup_decline(test_cards.CARDS[method["_card"]])
    if decline is not None:
        raise _declined(world, doc, method, decline, account)
    return _succeed(world, doc, method, account)


def _ask(world: World, doc: Doc, action: Doc, account: str) -> Doc:
    doc |= {"status": "requires_action", "next_action": action}
    world.store.save(doc)
    emit(world, "setup_intent.requires_action", doc, account=account)
    return doc


def _succeed(world: World, doc: Doc, method: Doc, account: str) -> Doc:
    method["_set_up"] = doc["usage"] == "off_session"
    if doc["customer"] is not None:
        customers.attach(world, method, doc["customer"], account)
    world.store.save(method)
    doc |= {"status": "succeeded", "next_action": None}
    setup_attempts.end(world, doc, "succeeded")
    world.store.save(doc)
    emit(world, "setup_intent.succeeded", doc, account=account)
    return doc


def _declined(world: World, doc: Doc, method: Doc, why: Decline, account: str) -> errors.StripeError:
    error = {"code": why.code, "message": why.message, "type": "card_error", **why.details()}
    _fail(world, doc, method, error, account)
    return errors.card_declined(
        why.message,
        why.code,
        why.decline_code,
        None,
        **({"advice_code": why.advice} if why.advice else {}),
        setup_intent=public(doc),
        payment_method=public(method),
    )


def _fail(world: World, doc: Doc, method: Doc, error: Doc, account: str) -> None:
    doc_url = errors.DOC_URL + error["code"].replace("_", "-")
    doc |= {
        "status": "requires_payment_method",
        "last_setup_error": error | {"doc_url": doc_url, "payment_method": public(method)},
        "next_action": None,
        "payment_method": None,
    }
    setup_attempts.end(world, doc, "failed", error)
    world.store.save(doc)
    emit(world, "setup_intent.setup_failed", doc, account=account)


def authenticate(world: World, intent_id: str, *, success: bool = True) -> Doc:
    """The cardholder authenticates or fails to; returns the intent, set up or requiring another card."""
    doc, account = world.store.find(intent_id), world.store.account_of(intent_id)
    if doc is None or account is None or doc["status"] != "requires_action":
        raise LookupError(f"setup intent {intent_id} is not waiting for authentication")
    method = customers.payment_method(world, doc["payment_method"], account)
    if success:
        return _succeed(world, doc, method, account)
    message = (
        "The provided PaymentMethod has failed authentication. You can provide payment_method_data or a new "
        "PaymentMethod to attempt to fulfill this SetupIntent again."
    )
    code = "setup_intent_authentication_failure"
    _fail(world, doc, method, {"code": code, "message": message, "type": "invalid_request_error"}, account)
    return doc


# Endpoints


def retrieve(world: World, call: Call) -> Doc:
    doc = world.store.get("setup_intent", call.ids["id"], call.account)
    if doc is None:
        raise errors.no_such("setupintent", call.ids["id"])
    return doc


def update(world: World, call: Call) -> Doc:
    doc, params = retrieve(world, call), call.params
    if doc["status"] in ("succeeded", "canceled") and set(params) - {"metadata", "description", "expand"}:
        raise _unexpected(doc, "update")
    doc["metadata"] = forms.metadata(params, doc["metadata"])
    for name in ("description", "customer"):
        if name in params:
            doc[name] = forms.text(params, name)
    if doc["customer"] is not None:
        customers.found(world, doc["customer"], call.account, "customer", status=400)
    payment_types.renew(doc, params)
    token = forms.text(params, "payment_method")
    if token is not None:
        method = customers.payment_method(world, token, call.account)
        doc |= {"payment_method": method["id"], "status": "requires_confirmation"}
    return world.store.save(doc)


def cancel(world: World, call: Call) -> Doc:
    doc = retrieve(world, call)
    _refuse_of_session(doc, "cancel")
    if doc["status"] not in OPEN:
        raise _unexpected(doc, "cancel")
    reason = forms.text(call.params, "cancellation_reason")
    doc |= {"status": "canceled", "cancellation_reason": reason, "next_action": None}
    world.store.save(doc)
    emit(world, "setup_intent.canceled", doc, account=call.account)
    return doc


def verify_microdeposits(world: World, call: Call) -> Doc:
    doc = retrieve(world, call)
    method = customers.payment_method(world, doc["payment_method"] or "", call.account)
    if next_actions.verified(world, doc, call.params):
        method["_verified"] = True
        return _succeed(world, doc, method, call.account)
    code = "payment_method_microdeposit_verification_attempts_exceeded"
    message = "You have exceeded the number of allowed verification attempts."
    _fail(
        world, doc, method, {"code": code, "message": message, "type": "invalid_request_error"}, call.account
    )
    return doc


def list_all(world: World, call: Call) -> Doc:
    return lists.listing(world, call, "setup_intent")


def _refuse_of_session(doc: Doc, verb: str) -> None:
    """Source: the description of `setup_intent` in docs.stripe.com/api/checkout/sessions/object."""
    if doc.get("_checkout"):
        raise errors.refused(
            f"You cannot {verb} the SetupIntent of a Checkout Session. To cancel it, expire the Checkout "
            "Session.",
            "setup_intent_unexpected_state",
        )


def _unexpected(doc: Doc, verb: str) -> errors.StripeError:
    return errors.StripeError(
        400,
        f"You cannot {verb} this SetupIntent because it has a status of {doc['status']}.",
        code="setup_intent_unexpected_state",
        setup_intent=public(doc),
    )
