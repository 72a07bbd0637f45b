"""Mandates: a payer's permission to debit a bank account, given with an intent, kept on the payment method.

A dispute of a bank debit ends the mandate: support.stripe.com/questions/respond-to-or-contest-an-ach-direct-
debit-dispute-as-a-merchant. Source of the shape: docs.stripe.com/api/mandates.
"""

from hobbs.local.stripe_sim import errors, forms
from hobbs.local.stripe_sim.events import emit
from hobbs.local.stripe_sim.identifiers import new_id
from hobbs.local.stripe_sim.world import Call, Doc, World


def accepted(world: World, intent: Doc, method: Doc, params: Doc, account: str) -> str:
    """The id of the mandate that covers the intent: a new one from `mandate_data`, else the method's own.

    Raises StripeError without either.
    """
    given = forms.nested(forms.nested(params, "mandate_data"), "customer_acceptance")
    if given:
        mandate = _new(world, intent, method, given)
        world.store.insert(mandate, account, created=world.now)
        if mandate["type"] == "multi_use":
            method["_mandate"] = mandate["id"]
            world.store.save(method)
        return str(mandate["id"])
    kept = world.store.get("mandate", method.get("_mandate", ""), account)
    if kept is not None and kept["status"] == "active":
        return str(kept["id"])
    kind = "payment_intent" if intent["object"] == "payment_intent" else "setup_intent"
    name = "PaymentIntent" if kind == "payment_intent" else "SetupIntent"
    raise errors.refused(
        f"This {name} requires a mandate, but no existing mandate was found. Collect mandate acceptance "
        "from the customer and try again, providing acceptance data in the mandate_data parameter.",
        f"{kind}_mandate_invalid",
    )


def _new(world: World, intent: Doc, method: Doc, given: Doc) -> Doc:
    once = intent["object"] == "payment_intent" and not intent["setup_future_usage"]
    type = forms.choice(given, "type", ("online", "offline"), "online")
    acceptance: Doc = {
        "accepted_at": forms.integer(given, "accepted_at", world.now),
        "type": type,
    }
    if type == "offline":
        acceptance["offline"] = {}
    else:
        online = forms.nested(given, "online")
        names = ("ip_address", "user_agent")
        acceptance["online"] = {name: forms.required_text(online, name) for name in names}
    use: Doc = {"amount": intent["amount"], "currency": intent["currency"]} if once else {}
    return {
        "id": new_id("mandate"),
        "object": "mandate",
        "customer_acceptance": acceptance,
        "livemode": False,
        ("single_use" if once else "multi_use"): use,
        "payment_method": method["id"],
        "payment_method_details": {"type": "us_bank_account", "us_bank_account": {}},
        "status": "active",
        "type": "single_use" if once else "multi_use",
    }


def end(world: World, mandate_id: str, account: str) -> None:
    """The payer or the bank took the permission back."""
    mandate = world.store.get("mandate", mandate_id, account)
    if mandate is None or mandate["status"] == "inactive":
        return
    world.store.save(mandate | {"status": "inactive"})
    emit(
        world,
        "mandate.updated",
        mandate | {"status": "inactive"},
        account=account,
        previous={"status": "active"},
    )


def retrieve(world: World, call: Call) -> Doc:
    doc = world.store.get("mandate", call.ids["id"], call.account)
    if doc is None:
        raise errors.no_such("mandate", call.ids["id"])
    return doc
