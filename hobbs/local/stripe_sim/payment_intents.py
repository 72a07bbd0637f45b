"""Payment intents: a card payment from creation until it succeeds, is declined, or waits for its payer.

A declined confirmation gets 402 and still writes its failed charge and its events, as at Stripe.
Sources: docs.stripe.com/payments/paymentintents/lifecycle, docs.stripe.com/testing.
"""

from dataclasses import replace

from hobbs.local.stripe_sim import (
    ach,
    currencies,
    customers,
    errors,
    forms,
    lists,
    next_actions,
    payment_types,
    releases,
    settlement,
    single_use,
    taking,
    test_cards,
)
from hobbs.local.stripe_sim.events import emit
from hobbs.local.stripe_sim.identifiers import new_id, random_text
from hobbs.local.stripe_sim.world import Call, Doc, World, public

NOT_SIMULATED = (
    "transfer_data",
    "application_fee_amount",
    "on_behalf_of",
    "confirmation_token",
)
NULLS = (
    "allowed_payment_method_types",
    "application",
    "application_fee_amount",
    "automatic_payment_methods",
    "canceled_at",
    "cancellation_reason",
    "customer",
    "customer_account",
    "excluded_payment_method_types",
    "last_payment_error",
    "latest_charge",
    "next_action",
    "on_behalf_of",
    "payment_method",
    "payment_method_configuration_details",
    "processing",
    "review",
    "transfer_data",
)
TEXTS = (
    "description",
    "receipt_email",
    "setup_future_usage",
    "statement_descriptor",
    "statement_descriptor_suffix",
    "transfer_group",
)


def create(world: World, call: Call) -> Doc:
    params = call.params
    for name in NOT_SIMULATED:
        if name in params:
            raise errors.not_simulated(name, name)
    if forms.boolean(params, "off_session") and not forms.boolean(params, "confirm"):
        raise errors.invalid_param("off_session", "You can only set `off_session` when `confirm=true`.")
    intent = _shape(world, call)
    world.store.insert(intent, call.account)
    emit(world, "payment_intent.created", intent, account=call.account)
    return _confirm(world, call, intent) if forms.boolean(params, "confirm") else intent


def _shape(world: World, call: Call) -> Doc:
    params = call.params
    currency = forms.currency(params)
    amount = _amount(world, call, currency)
    customer = forms.text(params, "customer")
    if customer is not None:
        customers.found(world, customer, call.account, "customer", status=400)
    token = forms.text(params, "payment_method")
    method = customers.payment_method(world, token, call.account)["id"] if token else None
    intent_id = new_id("pi")
    doc: Doc = {
        **dict.fromkeys(NULLS),
        "id": intent_id,
        "object": "payment_intent",
        "amount": amount,
        "amount_capturable": 0,
        "amount_details": {"tip": {}},
        "amount_received": 0,
        "capture_method": forms.choice(
            params, "capture_method", ("automatic_async", "automatic", "manual"), "automatic_async"
        ),
        "client_secret": f"{intent_id}_secret_{random_text(25)}",
        "confirmation_method": forms.choice(
            params, "confirmation_method", ("automatic", "manual"), "automatic"
        ),
        "created": world.now,
        "currency": currency,
        "customer": customer,
        "livemode": False,
        "metadata": forms.metadata(params),
        "payment_method": method,
        "payment_method_options": {"card": {"installments": None, "request_three_d_secure": "automatic"}},
        "payment_method_types": payment_types.offered(params, currency),
        payment_types.NEW: forms.strings(params, payment_types.NEW) or None,
        "shipping": params.get("shipping"),
        "status": "requires_confirmation" if method else "requires_payment_method",
        **{name: forms.text(params, name) for name in TEXTS},
    }
    if forms.boolean(forms.nested(params, "automatic_payment_methods"), "enabled"):
        doc["automatic_payment_methods"] = {"allow_redirects": "always", "enabled": True}
    return doc


def _amount(world: World, call: Call, currency: str) -> int:
    amount = forms.required_amount(call.params)
    currencies.check(currency, amount)
    money = settlement.settled(world, call.account, currency, amount)
    currencies.check_minimum(currency, amount, money.currency, money.amount)
    return amount


def _confirm(world: World, call: Call, intent: Doc) -> Doc:
    params = call.params
    if intent["payment_method"] is None:
        raise errors.refused(
            "You cannot confirm this PaymentIntent because it's missing a payment method. You can either "
            "update the PaymentIntent with a payment method and then confirm it again, or confirm it again "
            "directly with a payment method or ConfirmationToken.",
            "payment_intent_unexpected_state",
        )
    method = customers.payment_method(world, intent["payment_method"], call.account)
    if intent["customer"] and method["customer"] not in (None, intent["customer"]):
        raise errors.refused(
            "The PaymentMethod supplied belongs to a different Customer.", param="payment_method"
        )
    single_use.refuse_again(method)
    payment_types.renew(intent, params)
    payment_types.require(intent, method)
    intent["_off_session"] = params.get("off_session") not in (None, "", "false")
    if method["type"] == "us_bank_account":
        return ach.confirm(world, intent, method, params, call.account)
    if test_cards.asks_its_holder(method, off_session=False) and not intent["_off_session"]:
        return _ask_for_authentication(world, call, intent)
    return _charge(world, intent, method, call.account)


def _ask_for_authentication(world: World, call: Call, intent: Doc) -> Doc:
    back = forms.text(call.params, "return_url")
    intent["status"] = "requires_action"
    intent["next_action"] = next_actions.authentication(world, intent["id"], back)
    world.store.save(intent)
    emit(world, "payment_intent.requires_action", intent, account=call.account)
    return intent


def _charge(world: World, intent: Doc, method: Doc, account: str, *, authenticated: bool = False) -> Doc:
    """Take the money, or write the failure and raise the 402."""
    card = test_cards.CARDS[method["_card"]]
    decline = card.decline
    off_session = intent["_off_session"]
    if test_cards.asks_its_holder(method, off_session=off_session) and not authenticated:
        decline = taking.AUTHENTICATION_REQUIRED
    if decline is not None:
        charge = taking.decline(world, intent, method, decline, account)
        raise errors.card_declined(
            decline.message,
            decline.code,
            decline.decline_code,
            charge["id"],
            **({"advice_code": decline.advice} if decline.advice else {}),
            payment_intent=public(intent),
            payment_method=public(method),
        )
    taking.succeed(world, intent, method, card, account)
    if intent["status"] == "requires_capture":
        releases.hold(world, intent["latest_charge"])
    if intent["setup_future_usage"] and intent["customer"] and method["customer"] is None:
        customers.attach(world, method, intent["customer"], account)
    if intent["setup_future_usage"] == "off_session":
        method["_set_up"] = True
        world.store.save(method)
    single_use.consume(world, method)
    return intent


def authenticate(world: World, intent_id: str, *, success: bool = True) -> Doc:
    """The cardholder authenticates or fails to; returns the intent, paid or requiring another card."""
    intent, account = world.store.find(intent_id), world.store.account_of(intent_id)
    if intent is None or account is None or intent["status"] != "requires_action":
        raise LookupError(f"payment intent {intent_id} is not waiting for authentication")
    method = customers.payment_method(world, intent["payment_method"], account)
    intent["next_action"] = None
    if not success:
        taking.fail_authentication(world, intent, method, account)
        return intent
    try:
        return _charge(world, intent, method, account, authenticated=True)
    except errors.StripeError:
        return intent


# Endpoints


def retrieve(world: World, call: Call) -> Doc:
    doc = world.store.get("payment_intent", call.ids["id"], call.account)
    if doc is None:
        raise errors.no_such("payment_intent", call.ids["id"], "intent")
    return doc


def confirm(world: World, call: Call) -> Doc:
    intent = retrieve(world, call)
    if intent["status"] not in ("requires_payment_method", "requires_confirmation"):
        raise _unexpected(intent, "confirm")
    token = forms.text(call.params, "payment_method")
    if token is not None:
        intent["payment_method"] = customers.payment_method(world, token, call.account)["id"]
    return _confirm(world, call, intent)


def capture(world: World, call: Call) -> Doc:
    intent = retrieve(world, call)
    if intent["status"] != "requires_capture":
        raise _unexpected(intent, "capture")
    amount = forms.amount(call.params, "amount_to_capture") or intent["amount_capturable"]
    if amount > intent["amount_capturable"]:
        raise errors.refused(
            "The requested capture amount is greater than the amount you can capture.", "amount_too_large"
        )
    charge = taking.capture(world, intent, amount, call.account)
    releases.captured(world, charge, call.account)
    return intent


def cancel(world: World, call: Call) -> Doc:
    intent = retrieve(world, call)
    if intent["status"] in ("succeeded", "canceled"):
        raise _unexpected(intent, "cancel")
    if intent["status"] == "requires_capture":
        charge = world.store.get("charge", intent["latest_charge"], call.account)
        assert charge is not None
        releases.cancelled(world, charge, call.account)
    if intent["status"] == "processing":
        ach.call_off(world, intent, call.account)
    reason = forms.text(call.params, "cancellation_reason")
    intent |= {
        "status": "canceled",
        "canceled_at": world.now,
        "cancellation_reason": reason,
        "amount_capturable": 0,
    }
    world.store.save(intent)
    emit(world, "payment_intent.canceled", intent, account=call.account)
    return intent


def update(world: World, call: Call) -> Doc:
    intent = retrieve(world, call)
    params = call.params
    if intent["status"] in ("succeeded", "canceled") and set(params) - {"metadata", "description", "expand"}:
        raise _unexpected(intent, "update")
    intent["metadata"] = forms.metadata(params, intent["metadata"])
    intent |= {name: forms.text(params, name) for name in TEXTS if name in params}
    if "amount" in params or "currency" in params:
        currency = forms.currency({"currency": intent["currency"]} | params)
        wanted = replace(call, params={"amount": intent["amount"]} | params)
        intent |= {"amount": _amount(world, wanted, currency), "currency": currency}
    payment_types.renew(intent, params)
    token = forms.text(params, "payment_method")
    if token is not None:
        intent["payment_method"] = customers.payment_method(world, token, call.account)["id"]
        intent["status"] = "requires_confirmation"
    return world.store.save(intent)


def verify_microdeposits(world: World, call: Call) -> Doc:
    """Begin a debit once its bank account is verified; too many wrong guesses end the attempt."""
    intent = retrieve(world, call)
    method = customers.payment_method(world, intent["payment_method"] or "", call.account)
    if next_actions.verified(world, intent, call.params):
        method["_verified"] = True
        world.store.save(method)
        return ach.start(world, intent, method, call.account)
    intent |= {"status": "requires_payment_method", "next_action": None, "payment_method": None}
    world.store.save(intent)
    emit(world, "payment_intent.payment_failed", intent, account=call.account)
    return intent


def list_all(world: World, call: Call) -> Doc:
    return lists.listing(world, call, "payment_intent")


def _unexpected(intent: Doc, verb: str) -> errors.StripeError:
    return errors.StripeError(
        400,
        f"You cannot {verb} this PaymentIntent because it has a status of {intent['status']}.",
        code="payment_intent_unexpected_state",
        payment_intent=public(intent),
    )
