"""Bank debits (ACH): days of processing, then success, a failure, or after success a dispute that is final.

The credit is on the balance as pending from the start (type `payment`); a failure takes it back with
`payment_failure_refund`, named by the charge's failure_balance_transaction. Sources:
docs.stripe.com/payments/ach-direct-debit (timing, mandates), …/accept-a-payment (test accounts),
support.stripe.com/questions/respond-to-or-contest-an-ach-direct-debit-dispute-as-a-merchant (final, ends the
mandate), stripe.com/pricing (0.8 %, at most 5.00). From memory: the pending credit, the type of
last_payment_error.
"""

from hobbs.local.stripe_sim import (
    balances,
    charges,
    customers,
    disputes,
    effects,
    errors,
    jobs,
    mandates,
    next_actions,
    single_use,
)
from hobbs.local.stripe_sim.events import emit
from hobbs.local.stripe_sim.world import Doc, World, public

FAILURES = {
    "account_closed": "The bank account has been closed.",
    "no_account": "The bank account could not be located.",
    "insufficient_funds": "The bank account has insufficient funds to complete the payment.",
    "debit_not_authorized": "Debit transactions are not approved on the bank account.",
    "invalid_currency": "The bank account does not take this currency.",
}


def confirm(world: World, intent: Doc, method: Doc, params: Doc, account: str) -> Doc:
    """Begin the debit, or ask for the microdeposits of an account that nobody verified."""
    if intent["capture_method"] == "manual":
        raise errors.refused("us_bank_account does not support manual capture.", param="capture_method")
    intent["_mandate"] = mandates.accepted(world, intent, method, params, account)
    if not method["_verified"]:
        action = next_actions.microdeposits(world, intent["id"])
        intent |= {"status": "requires_action", "next_action": action}
        world.store.save(intent)
        emit(world, "payment_intent.requires_action", intent, account=account)
        return intent
    return start(world, intent, method, account)


def start(world: World, intent: Doc, method: Doc, account: str) -> Doc:
    settings = world.settings
    charge = _charge(world, intent, method)
    transaction = balances.post(
        world,
        type="payment",
        account=account,
        currency=charge["currency"],
        amount=charge["amount"],
        fee=fee(world, charge["amount"]),
        source=charge["id"],
        available_on=charge["_available_on"],
        description=charge["description"],
    )
    charge["balance_transaction"] = transaction["id"]
    world.store.insert(charge, account)
    intent |= {
        "status": "processing",
        "latest_charge": charge["id"],
        "next_action": None,
        "last_payment_error": None,
    }
    world.store.save(intent)
    if intent["setup_future_usage"] and intent["customer"] and method["customer"] is None:
        customers.attach(world, method, intent["customer"], account)
    single_use.consume(world, method)
    emit(world, "charge.pending", charge, account=account)
    emit(world, "payment_intent.processing", intent, account=account)
    if method["_outcome"] in FAILURES:
        jobs.schedule(world, "bank_debit_ends", charge["id"], settings.ach_fails_after_s)
    elif method["_outcome"] != "processing":
        jobs.schedule(world, "bank_debit_ends", charge["id"], settings.ach_succeeds_after_s)
    return intent


def fee(world: World, amount: int) -> int:
    """The fee in minor units: a percentage, rounded half-up, with a maximum."""
    share = (amount * world.settings.ach_fee_basis_points + 5_000) // 10_000
    return min(share, world.settings.ach_fee_max)


def _charge(world: World, intent: Doc, method: Doc) -> Doc:
    bank = method["us_bank_account"]
    names = ("account_holder_type", "account_type", "bank_name", "fingerprint", "last4", "routing_number")
    details = {name: bank[name] for name in names} | {
        "mandate": intent["_mandate"],
        "payment_reference": None,
    }
    charge = charges.charge(
        world,
        amount=intent["amount"],
        currency=intent["currency"],
        prefix="py",
        billing_details=method["billing_details"],
        customer=intent["customer"],
        description=intent["description"],
        metadata=intent["metadata"],
        paid=False,
        payment_intent=intent["id"],
        payment_method=method["id"],
        payment_method_details={"type": "us_bank_account", "us_bank_account": details},
        receipt_email=intent["receipt_email"],
        status="pending",
        transfer_group=intent["transfer_group"],
    )
    available_on = world.now + int(world.settings.ach_succeeds_after_s)
    return charge | {"_available_on": available_on, "_outcome": method["_outcome"], "_card": ""}


def end(world: World, charge_id: str) -> Doc | None:
    """Job: the bank answers. Returns the intent, paid or failed; None where it was canceled meanwhile."""
    charge, account = world.store.find(charge_id), world.store.account_of(charge_id)
    if charge is None or account is None or charge["status"] != "pending":
        return None
    intent = world.store.get("payment_intent", charge["payment_intent"], account)
    assert intent is not None
    if charge["_outcome"] in FAILURES:
        _fail(world, intent, charge, account)
    else:
        _succeed(world, intent, charge, account)
    return intent


def _succeed(world: World, intent: Doc, charge: Doc, account: str) -> None:
    charge |= {"status": "succeeded", "paid": True}
    intent |= {"status": "succeeded", "amount_received": charge["amount"]}
    world.store.save(charge)
    world.store.save(intent)
    effects.record(world, "charge", charge, account=account, destination=charge["customer"])
    emit(world, "charge.succeeded", charge, account=account)
    emit(world, "payment_intent.succeeded", intent, account=account)
    if charge["_outcome"] == "dispute":
        jobs.schedule(world, "bank_debit_returned", charge["id"], world.settings.ach_dispute_after_s)


def _fail(world: World, intent: Doc, charge: Doc, account: str) -> None:
    code = charge["_outcome"]
    _take_back(world, charge, account)
    charge |= {"status": "failed", "failure_code": code, "failure_message": FAILURES[code]}
    world.store.save(charge)
    method = world.store.get("payment_method", charge["payment_method"], account)
    error = {
        "charge": charge["id"],
        "code": code,
        "doc_url": errors.DOC_URL + code.replace("_", "-"),
        "message": FAILURES[code],
        "payment_method": public(method),
        "type": "invalid_request_error",
    }
    intent |= {"status": "requires_payment_method", "last_payment_error": error, "payment_method": None}
    world.store.save(intent)
    emit(world, "charge.failed", charge, account=account)
    emit(world, "payment_intent.payment_failed", intent, account=account)


def fail_late(world: World, charge_id: str, code: str = "insufficient_funds") -> Doc:
    """The bank says after its success that it does not pay a debit, without a dispute.

    docs.stripe.com has such failures as disputes (`returned`); the charge's own failure is what older debits
    and other delayed methods show: `failure_balance_transaction` of docs.stripe.com/api/charges/object.
    """
    charge, account = world.store.find(charge_id), world.store.account_of(charge_id)
    if charge is None or account is None or charge["status"] != "succeeded" or charge["disputed"]:
        raise LookupError(f"no undisputed, successful bank debit {charge_id}")
    if charge["payment_method_details"]["type"] != "us_bank_account":
        raise LookupError(f"{charge_id} is no bank debit")
    if code not in FAILURES:
        raise ValueError(f"code is one of {', '.join(FAILURES)}, not {code}")
    intent = world.store.get("payment_intent", charge["payment_intent"], account)
    assert intent is not None
    _fail(world, intent | {"amount_received": 0}, charge | {"_outcome": code, "paid": False}, account)
    failed = world.store.find(charge_id) or charge
    # An effect of its own: the charge's id is that of the payment that was made.
    row = failed | {"id": failed["failure_balance_transaction"]}
    effects.record(world, "payment_failure", row, account=account, destination=charge["customer"])
    return failed


def _take_back(world: World, charge: Doc, account: str) -> None:
    """Return the credit with its fee, on the day on which the credit would have been available."""
    cost = fee(world, charge["amount"])
    back = balances.post(
        world,
        type="payment_failure_refund",
        account=account,
        currency=charge["currency"],
        amount=-charge["amount"],
        fee=-cost,
        source=charge["id"],
        available_on=charge["_available_on"],
    )
    charge["failure_balance_transaction"] = back["id"]


def call_off(world: World, intent: Doc, account: str) -> None:
    """The debit of a canceled intent is not made."""
    charge = world.store.get("charge", intent["latest_charge"] or "", account)
    if charge is not None and charge["status"] == "pending":
        jobs.cancel(world, "bank_debit_ends", charge["id"])
        _take_back(world, charge, account)
        world.store.save(charge | {"status": "failed"})
        emit(world, "charge.failed", charge | {"status": "failed"}, account=account)


def returned(world: World, charge_id: str, reason: str = "debit_not_authorized") -> Doc:
    """Job: the payer's bank takes a debit back after it succeeded: a dispute that is lost from the start."""
    charge, account = world.store.find(charge_id), world.store.account_of(charge_id)
    if charge is None or account is None or charge["status"] != "succeeded" or charge["disputed"]:
        raise LookupError(f"no undisputed, successful bank debit {charge_id}")
    details = charge["payment_method_details"]
    if details["type"] != "us_bank_account":
        raise LookupError(f"{charge_id} is no bank debit")
    doc = disputes._shape(world, charge, charge["amount"], reason, False) | {"status": "lost"}
    doc.pop("payment_method_details")
    disputes._move(world, doc, account, -doc["amount"], world.settings.dispute_fee, f"Return of {charge_id}")
    effects.record(world, "dispute", doc, account=account, destination=charge_id)
    world.store.insert(doc, account)
    world.store.save(charge | {"disputed": True, "_funds_withdrawn": True})
    for type in ("charge.dispute.created", "charge.dispute.funds_withdrawn", "charge.dispute.closed"):
        emit(world, type, doc, account=account)
    if reason != "insufficient_funds":  # who had no money took no consent back
        mandates.end(world, details["us_bank_account"]["mandate"], account)
    return doc
