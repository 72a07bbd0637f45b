"""What a confirmed payment creates: a charge, its fee and balance transaction, and their events.

`charge.succeeded` names no balance transaction; `charge.updated` does, a little later, as Stripe's
asynchronous capture works (docs.stripe.com/payments/payment-intents/asynchronous-capture).
"""

from hobbs.local.stripe_sim import balances, charges, effects, jobs, settlement
from hobbs.local.stripe_sim.events import emit
from hobbs.local.stripe_sim.test_cards import Card, Decline
from hobbs.local.stripe_sim.world import Doc, World, public

AUTHENTICATION_REQUIRED = Decline(
    code="authentication_required",
    decline_code="authentication_required",
    message="Your card was declined. This transaction requires authentication.",
)
AUTHENTICATION_FAILED = (
    "The provided PaymentMethod has failed authentication. You can provide payment_method_data or a new "
    "PaymentMethod to attempt to fulfill this PaymentIntent again."
)


def succeed(world: World, intent: Doc, method: Doc, card: Card, account: str) -> None:
    """Charge the card; with manual capture only reserve it."""
    manual = intent["capture_method"] == "manual"
    charge = _charge(world, intent, method) | {
        "captured": not manual,
        "amount_captured": 0 if manual else intent["amount"],
        "outcome": _outcome("authorized", "approved_by_network", "Payment complete."),
        "_available_on": world.now
        + int(0 if card.funds_at_once else world.settings.charge_available_after_s),
        "_card": method["_card"],
    }
    world.store.insert(charge, account)
    intent |= {"latest_charge": charge["id"], "payment_method": method["id"], "last_payment_error": None}
    if manual:
        intent |= {"status": "requires_capture", "amount_capturable": intent["amount"]}
        world.store.save(intent)
        emit(world, "charge.succeeded", charge, account=account)
        emit(world, "payment_intent.amount_capturable_updated", intent, account=account)
        return
    _receive(world, intent, charge, account)
    emit(world, "charge.succeeded", charge, account=account)
    emit(world, "payment_intent.succeeded", intent, account=account)


def capture(world: World, intent: Doc, amount: int, account: str) -> Doc:
    """Take an authorized amount; returns the charge, which counts the rest as refunded."""
    charge = world.store.get("charge", intent["latest_charge"], account)
    assert charge is not None
    charge |= {
        "captured": True,
        "amount_captured": amount,
        "amount_refunded": charge["amount"] - amount,
    }
    intent["amount_capturable"] = 0
    _receive(world, intent, charge, account)
    emit(world, "charge.captured", charge, account=account)
    emit(world, "payment_intent.succeeded", intent, account=account)
    return charge


def _receive(world: World, intent: Doc, charge: Doc, account: str) -> None:
    intent |= {"status": "succeeded", "amount_received": charge["amount_captured"]}
    world.store.save(intent)
    effects.record(
        world,
        "charge",
        charge | {"amount": charge["amount_captured"]},
        account=account,
        destination=charge["customer"],
    )
    delay = world.settings.charge_transaction_after_s
    if delay <= 0:
        _book(world, charge, account)
    else:
        world.store.save(charge)
        jobs.schedule(world, "charge_transaction", charge["id"], delay)
    if charge["_card"].startswith("createDispute"):
        jobs.schedule(world, "dispute", charge["id"], delay + world.settings.dispute_after_s)


def book_later(world: World, charge_id: str) -> None:
    """Job: create the balance transaction and emit charge.updated."""
    charge, account = world.store.find(charge_id), world.store.account_of(charge_id)
    assert charge is not None
    assert account is not None
    if charge["balance_transaction"] is not None:
        return
    _book(world, charge, account)
    emit(world, "charge.updated", charge, account=account, previous={"balance_transaction": None})


def ensure_booked(world: World, charge: Doc, account: str) -> Doc:
    """Create the charge's balance transaction now if it is missing; a refund or a dispute needs it."""
    if charge["balance_transaction"] is None:
        jobs.cancel(world, "charge_transaction", charge["id"])
        book_later(world, charge["id"])
    return world.store.get("charge", charge["id"], account) or charge


def _book(world: World, charge: Doc, account: str) -> None:
    money = settlement.settled(world, account, charge["currency"], charge["amount_captured"])
    transaction = balances.post(
        world,
        type="charge",
        account=account,
        currency=money.currency,
        amount=money.amount,
        exchange_rate=money.rate,
        fee=charges.fee(world, money.amount),
        source=charge["id"],
        available_on=charge["_available_on"],
        description=charge["description"],
    )
    charge["balance_transaction"] = transaction["id"]
    world.store.save(charge)


def decline(world: World, intent: Doc, method: Doc, why: Decline, account: str) -> Doc:
    """Write the failed charge and set the intent to requires_payment_method, without its card."""
    charge = _charge(world, intent, method) | {
        "amount_captured": 0,
        "captured": False,
        "failure_code": why.code,
        "failure_message": why.message,
        "outcome": _outcome("issuer_declined", why.decline_code or why.code, why.message)
        | {"advice_code": why.advice},
        "paid": False,
        "status": "failed",
    }
    world.store.insert(charge, account)
    error = {
        "charge": charge["id"],
        "code": why.code,
        "doc_url": f"https://stripe.com/docs/error-codes/{why.code.replace('_', '-')}",
        "message": why.message,
        "payment_method": public(method),
        "type": "card_error",
    }
    error |= why.details()
    intent |= {
        "status": "requires_payment_method",
        "last_payment_error": error,
        "latest_charge": charge["id"],
        "payment_method": None,
    }
    world.store.save(intent)
    emit(world, "charge.failed", charge, account=account)
    emit(world, "payment_intent.payment_failed", intent, account=account)
    return charge


def fail_authentication(world: World, intent: Doc, method: Doc, account: str) -> None:
    """The holder failed the bank's page: no charge is made. Source: docs.stripe.com/payments/3d-secure."""
    code = "payment_intent_authentication_failure"
    error = {
        "code": code,
        "doc_url": f"https://stripe.com/docs/error-codes/{code.replace('_', '-')}",
        "message": AUTHENTICATION_FAILED,
        "payment_method": public(method),
        "type": "invalid_request_error",
    }
    intent |= {"status": "requires_payment_method", "last_payment_error": error, "payment_method": None}
    world.store.save(intent)
    emit(world, "payment_intent.payment_failed", intent, account=account)


def _charge(world: World, intent: Doc, method: Doc) -> Doc:
    card = method["card"]
    details = {
        "brand": card["brand"],
        "checks": card["checks"],
        "country": card["country"],
        "exp_month": card["exp_month"],
        "exp_year": card["exp_year"],
        "fingerprint": card["fingerprint"],
        "funding": card["funding"],
        "installments": None,
        "last4": card["last4"],
        "mandate": None,
        "network": card["brand"],
        "three_d_secure": None,
        "wallet": None,
    }
    return charges.charge(
        world,
        amount=intent["amount"],
        billing_details=method["billing_details"],
        currency=intent["currency"],
        customer=intent["customer"],
        description=intent["description"],
        metadata=intent["metadata"],
        payment_intent=intent["id"],
        payment_method=method["id"],
        payment_method_details={"card": details, "type": "card"},
        receipt_email=intent["receipt_email"],
        transfer_group=intent["transfer_group"],
    )


def _outcome(type: str, reason: str, message: str) -> Doc:
    approved = type == "authorized"
    return {
        "advice_code": None,
        "network_advice_code": None,
        "network_decline_code": None,
        "network_status": "approved_by_network" if approved else "declined_by_network",
        "reason": None if approved else reason,
        "risk_level": "normal",
        "risk_score": 32,
        "seller_message": message,
        "type": type,
    }
