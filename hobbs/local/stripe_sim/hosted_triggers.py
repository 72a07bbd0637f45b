"""Triggers for what payers do on hosted pages, and for bank debits: their causes in triggers.py.

Each runs the code of the page, so objects, balances and events are the same.
"""

from collections.abc import Callable

from hobbs.local.stripe_sim import ach, authentication_page, checkout, checkout_page
from hobbs.local.stripe_sim.errors import StripeError
from hobbs.local.stripe_sim.events import emit
from hobbs.local.stripe_sim.world import Doc, World


def _session(world: World, given: Doc) -> tuple[Doc, str]:
    session_id = str(given["session"])
    doc, account = world.store.find(session_id), world.store.account_of(session_id)
    if doc is None or account is None or doc["object"] != "checkout.session" or doc["status"] != "open":
        raise LookupError(f"no open Checkout session {session_id}")
    return doc, account


def _completed(world: World, given: Doc) -> Doc:
    """The payer of `session` pays with `payment_method`; returns the session, open when that is declined."""
    doc, account = _session(world, given)
    token = str(given.get("payment_method", "pm_card_visa"))
    try:
        checkout_page.pay(world, doc, token, account, email=given.get("email"))
    except StripeError as declined:
        if declined.status != 402:
            raise ValueError(str(declined)) from declined
    return world.store.get("checkout.session", doc["id"], account) or doc


def _expired(world: World, given: Doc) -> Doc:
    doc, account = _session(world, given)
    checkout.expire_now(world, doc["id"])
    return world.store.get("checkout.session", doc["id"], account) or doc


def _authenticated(world: World, given: Doc) -> Doc:
    """The holder of the card of `setup_intent` completes or, with success false, fails the authentication."""
    success = str(given.get("success", "true")).lower() == "true"
    return authentication_page.authenticated(world, str(given["setup_intent"]), success=success)


def _returned(world: World, given: Doc) -> Doc:
    """The payer's bank takes the bank debit `charge` back after it succeeded: `reason`."""
    return ach.returned(world, str(given["charge"]), str(given.get("reason", "debit_not_authorized")))


def _failed_late(world: World, given: Doc) -> Doc:
    """The bank debit `charge` fails after it succeeded, without a dispute: `code`."""
    return ach.fail_late(world, str(given["charge"]), str(given.get("code", "insufficient_funds")))


def _card_renewed(world: World, given: Doc) -> Doc:
    """The network renews the saved card `payment_method`: exp_month, exp_year, last4."""
    method_id = str(given["payment_method"])
    doc, account = world.store.find(method_id), world.store.account_of(method_id)
    if doc is None or account is None or doc.get("type") != "card":
        raise LookupError(f"no card {method_id}")
    before = {name: doc["card"][name] for name in ("exp_month", "exp_year", "last4") if name in given}
    doc["card"] |= {name: type(before[name])(given[name]) for name in before}
    world.store.save(doc)
    previous = {"card": before}
    emit(world, "payment_method.automatically_updated", doc, account=account, previous=previous)
    return doc


CAUSES: dict[str, Callable[[World, Doc], Doc]] = {
    "checkout.session.completed": _completed,
    "checkout.session.expired": _expired,
    "setup_intent.authenticated": _authenticated,
    "bank_debit.failed_late": _failed_late,
    "bank_debit.returned": _returned,
    "payment_method.automatically_updated": _card_renewed,
}
