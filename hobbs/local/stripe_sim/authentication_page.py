"""The page of the payer's bank: two buttons that complete or fail an authentication, then back to return_url.

Sources: docs.stripe.com/payments/3d-secure/authentication-flow (the query that is added to return_url),
docs.stripe.com/testing (Stripe's own page has the buttons "Complete" and "Fail").
"""

from hobbs.local.stripe_sim import checkout_page, errors, html, payment_intents, setup_intents
from hobbs.local.stripe_sim.http import Answer, Request
from hobbs.local.stripe_sim.world import Call, Doc, World

KINDS = ("payment_intent", "setup_intent")


def page(world: World, intent_id: str, request: Request) -> Answer:
    intent = _waiting(world, intent_id, "redirect_to_url", "use_stripe_sdk")
    if intent is None:
        return html.show(410, "Nothing waits for an authentication here.")
    if request.method != "POST":
        title = "Your bank wants to know whether this is you."
        return html.show(200, title, html.buttons("outcome", ("complete", "Complete"), ("fail", "Fail")))
    outcome = html.form(request).get("outcome", "complete")
    if outcome not in ("complete", "fail"):
        return html.show(400, "The outcome is complete or fail.")
    with world.store.transaction():
        intent = authenticated(world, intent_id, success=outcome == "complete")
    return _back(intent)


def authenticated(world: World, intent_id: str, *, success: bool) -> Doc:
    """The holder answered; returns the intent with `_return_url`, and ends the Checkout session it is of."""
    before = world.store.find(intent_id)
    if before is None:
        raise LookupError(f"no intent {intent_id}")
    module = payment_intents if before["object"] == "payment_intent" else setup_intents
    intent: Doc = module.authenticate(world, intent_id, success=success)
    checkout_page.follow(world, intent, world.store.account_of(intent_id) or "")
    action = before["next_action"] or {}
    return intent | {"_return_url": (action.get("redirect_to_url") or {}).get("return_url")}


def microdeposits(world: World, intent_id: str, request: Request) -> Answer:
    """Stripe's page for the two amounts: a button stands for the right ones, and one for wrong ones."""
    if _waiting(world, intent_id, "verify_with_microdeposits") is None:
        return html.show(410, "Nothing waits for the amounts of deposits here.")
    if request.method != "POST":
        choices = (("right", "The right amounts"), ("wrong", "Wrong amounts"))
        return html.show(200, "Which amounts were deposited?", html.buttons("amounts", *choices))
    amounts = ["32", "45"] if html.form(request).get("amounts", "right") == "right" else ["1", "2"]
    module = payment_intents if intent_id.startswith("pi_") else setup_intents
    account = world.store.account_of(intent_id) or ""
    call = Call(method="POST", path="", params={"amounts": amounts}, ids={"id": intent_id}, account=account)
    with world.store.transaction():
        try:
            module.verify_microdeposits(world, call)
        except errors.StripeError as wrong:
            return html.show(wrong.status, str(wrong))
    return html.show(200, "Your bank account is verified.")


def _waiting(world: World, intent_id: str, *kinds: str) -> Doc | None:
    intent = world.store.find(intent_id)
    if intent is None or intent.get("object") not in KINDS or intent["status"] != "requires_action":
        return None
    return intent if (intent["next_action"] or {}).get("type") in kinds else None


def _back(intent: Doc) -> Answer:
    kind, url = intent["object"], intent["_return_url"]
    done = intent["status"] in ("succeeded", "processing", "requires_capture")
    if not url:
        return html.show(200, "Done." if done else "That did not work.")
    return html.go(
        url,
        **{
            kind: intent["id"],
            f"{kind}_client_secret": intent["client_secret"],
            "redirect_status": "succeeded" if done else "failed",
        },
    )
