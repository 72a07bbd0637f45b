"""Causes events that no API call of Hobbs causes: `POST /_sim/trigger {"event": …}`.

Each trigger runs the same code as the API, so objects, balances and events are the same.
"""

from collections.abc import Callable

import orjson

from hobbs.local.stripe_sim import (
    ach,
    customers,
    disputes,
    fees,
    hosted_triggers,
    onboarding,
    payment_intents,
    payouts,
    pending_reversals,
    refunds,
    reserves,
    taking,
    topups,
)
from hobbs.local.stripe_sim.errors import StripeError
from hobbs.local.stripe_sim.world import Call, Doc, World

DEFAULT_AMOUNT = 20_00
DEFAULT_STUDENT = "student-1"


def trigger(world: World, given: Doc) -> Doc:
    """Cause `event` for the object that `given` names, else for a new one."""
    event = str(given["event"])
    cause = CAUSES.get(event)
    if cause is None:
        raise ValueError(f"unknown event {event!r}; known are {', '.join(sorted(CAUSES))}")
    with world.store.transaction():
        return cause(world, given)


def _pay(world: World, given: Doc) -> Doc:
    """A student pays by card: amount, currency, student, card (a test card's name), metadata."""
    metadata = {"hobbs_student": str(given.get("student", DEFAULT_STUDENT)), **given.get("metadata", {})}
    if given.get("student") == "":
        metadata.pop("hobbs_student")
    params = {
        "amount": str(given.get("amount", DEFAULT_AMOUNT)),
        "currency": str(given.get("currency", "usd")),
        "payment_method": f"pm_card_{given.get('card', 'visa')}",
        "confirm": "true",
        "metadata": metadata,
    }
    for name in ("description", "transfer_group", "customer", "off_session"):
        if given.get(name):
            params[name] = str(given[name])
    call = Call(method="POST", path="/v1/payment_intents", params=params)
    try:
        return payment_intents.create(world, call)
    except StripeError as error:
        declined: Doc = error.error.get("payment_intent") or {}
        if not declined:
            raise ValueError(error.error["message"]) from error
        return declined


def _card(name: str) -> Callable[[World, Doc], Doc]:
    def cause(world: World, given: Doc) -> Doc:
        return _pay(world, {"card": name} | given)

    return cause


def _paid_charge(world: World, given: Doc) -> Doc:
    charge_id = given.get("charge") or _pay(world, {"card": "visa"} | given)["latest_charge"]
    charge = world.store.find(str(charge_id))
    if charge is None or charge["object"] != "charge":
        raise LookupError(f"no charge {charge_id}")
    return taking.ensure_booked(world, charge, world.store.account_of(charge["id"]) or "")


def _refund(world: World, given: Doc) -> Doc:
    """Refund `charge`, or a new payment; `refund` is the amount, else the unrefunded rest."""
    charge = _paid_charge(world, given)
    left = refunds.refundable(charge)
    amount = int(given.get("refund", left))
    if not 0 < amount <= left:
        raise ValueError(f"charge {charge['id']} has {left} left to refund, not {amount}")
    account = world.store.account_of(charge["id"]) or ""
    return refunds.refund(
        world, charge, amount, account, reason="requested_by_customer", metadata=given.get("metadata", {})
    )


def _dispute(world: World, given: Doc) -> Doc:
    charge = _paid_charge(world, given)
    if charge["payment_method_details"]["type"] == "us_bank_account":
        return ach.returned(world, charge["id"], str(given.get("reason", "debit_not_authorized")))
    return disputes.open_dispute(world, charge["id"], reason=given.get("reason", "fraudulent"))


def _dispute_closed(world: World, given: Doc) -> Doc:
    return disputes.decide(world, str(given["dispute"]), won=str(given.get("won", "false")).lower() == "true")


def _dispute_withdrawn(world: World, given: Doc) -> Doc:
    """A further balance transaction of `dispute`: amount, fee, currency (else the dispute's)."""
    fee, currency = int(given.get("fee", 0)), given.get("currency")
    return disputes.withdraw(world, str(given["dispute"]), int(given["amount"]), fee=fee, currency=currency)


def _object_changed(world: World, given: Doc) -> Doc:
    """Show `object` with other fields, of any type, and `without` some: as no documentation says it looks."""
    doc = world.store.find(str(given["object"]))
    if doc is None:
        raise LookupError(f"no object {given['object']}")
    doc |= given.get("fields", {})
    for name in given.get("without", []):
        doc.pop(name, None)
    world.store.write(
        "UPDATE object SET body = :body WHERE id = :id", body=orjson.dumps(doc), id=str(given["object"])
    )
    return doc


def _payout_debited(world: World, given: Doc) -> Doc:
    """Take `amount` from the bank of `account`, whose balance is negative."""
    amount, currency = int(given.get("amount", DEFAULT_AMOUNT)), str(given.get("currency", "usd"))
    return payouts.debit(world, str(given["account"]), amount, currency)


def _account_updated(world: World, given: Doc) -> Doc:
    return onboarding.complete(world, str(given["account"]))


def _account_closed(world: World, given: Doc) -> Doc:
    return onboarding.close(world, str(given["account"]))


def _payout_paid(world: World, given: Doc) -> Doc:
    payouts.arrive(world, str(given["payout"]))
    doc = world.store.find(str(given["payout"]))
    if doc is None:
        raise LookupError(f"no payout {given['payout']}")
    return doc


def _payout_failed(world: World, given: Doc) -> Doc:
    return payouts.fail(world, str(given["payout"]), str(given.get("code", "account_closed")))


def _payout_created(world: World, given: Doc) -> Doc:
    """Make the account's automatic payout now."""
    account, currency = str(given["account"]), str(given.get("currency", "usd"))
    payouts.pay_out_automatically(world, f"{account}/{currency}")
    made = next(world.store.newest("payout", account), None)
    if made is None:
        raise LookupError(f"account {account} has nothing available to pay out, or may not")
    return made


def _authenticated(world: World, given: Doc) -> Doc:
    """The card's holder completes (or, with success false, fails) the bank's authentication."""
    success = str(given.get("success", "true")).lower() == "true"
    return payment_intents.authenticate(world, str(given["payment_intent"]), success=success)


def _customer(world: World, given: Doc) -> Doc:
    params = {"email": given.get("email"), "metadata": given.get("metadata")}
    call = Call(
        method="POST", path="/v1/customers", params={k: v for k, v in params.items() if v is not None}
    )
    return customers.create(world, call)


CAUSES: dict[str, Callable[[World, Doc], Doc]] = {
    "payment_intent.succeeded": _pay,
    "charge.succeeded": _pay,
    "payment_intent.payment_failed": _card("chargeDeclined"),
    "charge.failed": _card("chargeDeclined"),
    "payment_intent.requires_action": _card("threeDSecure2Required"),
    "payment_intent.authenticated": _authenticated,
    "charge.refunded": _refund,
    "charge.dispute.created": _dispute,
    "charge.dispute.closed": _dispute_closed,
    "balance.moved": fees.move,
    "account.updated": _account_updated,
    "account.application.deauthorized": _account_closed,
    "charge.dispute.funds_withdrawn": _dispute_withdrawn,
    "object.changed": _object_changed,
    "payout.created": _payout_created,
    "payout.debited": _payout_debited,
    "payout.paid": _payout_paid,
    "payout.failed": _payout_failed,
    "customer.created": _customer,
    **hosted_triggers.CAUSES,
    **pending_reversals.CAUSES,
    **reserves.CAUSES,
    **topups.CAUSES,
}
