"""Setup attempts: one for each confirmation of a setup intent. Source: docs.stripe.com/api/setup_attempts."""

from hobbs.local.stripe_sim import forms, lists
from hobbs.local.stripe_sim.identifiers import new_id
from hobbs.local.stripe_sim.world import Call, Doc, World, public

CARD = ("brand", "checks", "country", "exp_month", "exp_year", "fingerprint", "funding", "last4", "wallet")


def start(world: World, intent: Doc, method: Doc, account: str) -> None:
    """Write the attempt and name it in the intent."""
    details: Doc = {"type": method["type"]}
    if method["type"] == "card":
        card = {name: method["card"][name] for name in CARD if name != "checks"}
        details["card"] = card | {
            "checks": method["card"]["checks"],
            "network": method["card"]["brand"],
            "three_d_secure": None,
        }
    else:
        details["us_bank_account"] = {}
    attempt = {
        "id": new_id("setatt"),
        "object": "setup_attempt",
        "application": None,
        "created": world.now,
        "customer": intent["customer"],
        "customer_account": None,
        "flow_directions": None,
        "livemode": False,
        "on_behalf_of": None,
        "payment_method": method["id"],
        "payment_method_details": details,
        "setup_error": None,
        "setup_intent": intent["id"],
        "status": "requires_action",
        "usage": intent["usage"],
    }
    world.store.insert(attempt, account)
    intent["latest_attempt"] = attempt["id"]


def end(world: World, intent: Doc, status: str, error: Doc | None = None) -> None:
    attempt = world.store.find(intent["latest_attempt"] or "")
    if attempt is not None:
        world.store.save(attempt | {"status": status, "setup_error": public(error)})


def list_all(world: World, call: Call) -> Doc:
    """The attempts of one setup intent, which has to be named."""
    forms.required_text(call.params, "setup_intent")
    return lists.listing(world, call, "setup_attempt")
