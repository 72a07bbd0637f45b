"""Refunds from the platform's balance; Stripe keeps the fee, and transfers do not change.

A refund that the available balance does not cover is pending (pending_reason insufficient_funds, no balance
transaction) and completes by itself once it does, the oldest first.
Sources: docs.stripe.com/refunds (available balance, not pending amounts; held until it is topped up),
docs.stripe.com/changelog/basil/2025-04-30/refund-pending-reason. That the charge counts a pending refund as
refunded at once is from memory.
"""

from hobbs.local.stripe_sim import (
    balances,
    currencies,
    effects,
    errors,
    forms,
    jobs,
    lists,
    settlement,
    taking,
)
from hobbs.local.stripe_sim.events import emit
from hobbs.local.stripe_sim.identifiers import new_id
from hobbs.local.stripe_sim.world import Call, Doc, World

REASONS = ("duplicate", "fraudulent", "requested_by_customer")
FAILS_AFTER_S = 1.0
WAITS = "refund.waits"


def create(world: World, call: Call) -> Doc:
    params = call.params
    for name in ("reverse_transfer", "refund_application_fee"):
        if forms.boolean(params, name):
            raise errors.not_simulated(name, name)
    amount = forms.amount(params)
    reason = forms.choice(params, "reason", REASONS, REASONS[0]) if "reason" in params else None
    metadata = forms.metadata(params)
    charge = taking.ensure_booked(world, _refundable(world, call), call.account)
    left = refundable(charge)
    if left <= 0:
        raise errors.refused(f"Charge {charge['id']} has already been refunded.", "charge_already_refunded")
    amount = left if amount is None else amount
    currencies.check(charge["currency"], amount)
    if amount > left:
        raise errors.refused(
            f"Refund amount ({_dollars(amount)}) is greater than unrefunded amount on charge "
            f"({_dollars(left)})",
            param="amount",
        )
    return refund(world, charge, amount, call.account, reason=reason, metadata=metadata)


def refundable(charge: Doc) -> int:
    """What is left to refund: what was authorized and not captured counts as refunded."""
    return int(charge["amount"] - charge["amount_refunded"])


def _refundable(world: World, call: Call) -> Doc:
    charge_id, intent_id = forms.text(call.params, "charge"), forms.text(call.params, "payment_intent")
    if intent_id is not None:
        intent = world.store.get("payment_intent", intent_id, call.account)
        if intent is None:
            raise errors.no_such("payment_intent", intent_id, "payment_intent", status=400)
        if intent["status"] != "succeeded":
            raise errors.refused(
                f"This PaymentIntent ({intent_id}) does not have a successful charge to refund."
            )
        charge_id = intent["latest_charge"]
    if charge_id is None:
        raise errors.invalid_param(
            "charge",
            "One of the following params should be provided for this request: payment_intent or charge.",
        )
    charge = world.store.get("charge", charge_id, call.account)
    if charge is None:
        raise errors.no_such("charge", charge_id, "charge", status=400)
    if charge["status"] != "succeeded":
        raise errors.refused(f"Charge {charge_id} has not succeeded and cannot be refunded.")
    if not charge["captured"]:
        raise errors.refused(
            f"This uncaptured Charge was created by a PaymentIntent ({charge['payment_intent']}). You must "
            "cancel the PaymentIntent to reverse the authorization instead of refunding the Charge directly."
        )
    if charge["disputed"] and charge.get("_funds_withdrawn"):
        raise errors.refused(
            f"Charge {charge_id} has been charged back; cannot issue a refund.", "charge_disputed"
        )
    return charge


def _dollars(amount: int) -> str:
    return f"${amount // 100:,}.{amount % 100:02}"


def refund(
    world: World, charge: Doc, amount: int, account: str, *, reason: str | None, metadata: dict[str, str]
) -> Doc:
    doc = world.store.insert(shape(world, charge, amount, reason, metadata), account)
    money = settlement.settled(world, account, charge["currency"], amount)
    if balances.available(world, account, money.currency) < money.amount:
        doc |= {"status": "pending", "pending_reason": "insufficient_funds"}
        world.store.save(doc)
        world.store.mark(doc["id"], WAITS, money.currency)
    else:
        _pay(world, doc, charge, account)
    previous = {"amount_refunded": charge["amount_refunded"], "refunded": charge["refunded"]}
    charge["amount_refunded"] += amount
    charge["refunded"] = charge["amount_refunded"] == charge["amount"]
    world.store.save(charge)
    emit(world, "charge.refunded", charge, account=account, previous=previous)
    emit(world, "refund.created", doc, account=account)
    return doc


def _pay(world: World, doc: Doc, charge: Doc, account: str) -> None:
    """Take a refund off the balance."""
    transaction = balances.post(
        world,
        type="refund",
        account=account,
        currency=charge["currency"],
        amount=-doc["amount"],
        source=doc["id"],
        description=f"REFUND FOR CHARGE ({charge['description']})"
        if charge["description"]
        else "REFUND FOR CHARGE",
    )
    doc |= {"status": "succeeded", "balance_transaction": transaction["id"]}
    doc.pop("pending_reason", None)
    world.store.save(doc)
    effects.record(world, "refund", doc, account=account, destination=charge["id"])
    if charge.get("_card") == "refundFail":
        jobs.schedule(world, "refund_fails", doc["id"], FAILS_AFTER_S)


def complete_waiting(world: World, subject: str) -> None:
    """Job: pay the refunds that waited for the balance of "account/currency", as far as it covers them."""
    account, _, currency = subject.partition("/")
    for doc in list(world.store.oldest_with(WAITS, currency, account, after=0)):
        money = settlement.settled(world, account, doc["currency"], doc["amount"])
        if balances.available(world, account, currency) < money.amount:
            return
        charge = world.store.get("charge", doc["charge"], account)
        assert charge is not None
        world.store.unmark(doc["id"], WAITS)
        _pay(world, doc, charge, account)
        previous = {"status": "pending", "pending_reason": "insufficient_funds", "balance_transaction": None}
        for type in ("refund.updated", "charge.refund.updated"):
            emit(world, type, doc, account=account, previous=previous)


def shape(world: World, charge: Doc, amount: int, reason: str | None, metadata: dict[str, str]) -> Doc:
    destination = {
        "reference_status": "pending",
        "reference_type": "acquirer_reference_number",
        "type": "refund",
    }
    return {
        "id": new_id("re"),
        "object": "refund",
        "amount": amount,
        "balance_transaction": None,
        "charge": charge["id"],
        "created": world.now,
        "currency": charge["currency"],
        "customer": charge["customer"],
        "customer_account": None,
        "destination_details": {"card": destination, "type": "card"},
        "metadata": metadata,
        "payment_intent": charge["payment_intent"],
        "payment_method": charge["payment_method"],
        "reason": reason,
        "receipt_number": None,
        "source_transfer_reversal": None,
        "status": "succeeded",
        "transfer_reversal": None,
    }


def fail(world: World, refund_id: str) -> None:
    """Job: the bank returns a refund, and the money is on the balance again."""
    doc, account = world.store.find(refund_id), world.store.account_of(refund_id)
    if doc is None or account is None or doc["status"] != "succeeded":
        return
    charge = world.store.get("charge", doc["charge"], account)
    assert charge is not None
    back = balances.post(
        world,
        type="refund_failure",
        account=account,
        currency=doc["currency"],
        amount=doc["amount"],
        source=refund_id,
    )
    doc |= {
        "status": "failed",
        "failure_balance_transaction": back["id"],
        "failure_reason": "expired_or_canceled_card",
    }
    world.store.save(doc)
    charge["amount_refunded"] -= doc["amount"]
    charge["refunded"] = False
    world.store.save(charge)
    for type in ("refund.updated", "refund.failed", "charge.refund.updated"):
        emit(world, type, doc, account=account, previous={"status": "succeeded"})


# Endpoints


def retrieve(world: World, call: Call) -> Doc:
    doc = world.store.get("refund", call.ids["id"], call.account)
    if doc is None:
        raise errors.no_such("refund", call.ids["id"])
    return doc


def update(world: World, call: Call) -> Doc:
    doc = retrieve(world, call)
    doc["metadata"] = forms.metadata(call.params, doc["metadata"])
    world.store.save(doc)
    emit(world, "refund.updated", doc, account=call.account)
    return doc


def list_all(world: World, call: Call) -> Doc:
    return lists.listing(world, call, "refund")
