"""What an intent in `requires_action` asks of its payer: the bank's page, or the amounts of two deposits.

Sources: docs.stripe.com/payments/3d-secure/authentication-flow, docs.stripe.com/api/payment_intents/object
(next_action), docs.stripe.com/payments/ach-direct-debit (microdeposits).
"""

from hobbs.local.stripe_sim import errors, forms
from hobbs.local.stripe_sim.world import Doc, World

AMOUNTS = {(32, 45): "verified", (10, 11): "too_many", (40, 41): "timeout"}
CODES = {"SM11AA": "verified", "SM33CC": "too_many", "SM44DD": "timeout"}
ATTEMPTS_MAX = 10
DAY_S = 86_400


def authentication(world: World, intent_id: str, return_url: str | None) -> Doc:
    """Send the cardholder to the page of the bank, which is a page of the simulator."""
    page = f"{world.public_url}/3ds/{intent_id}"
    if return_url:
        return {"type": "redirect_to_url", "redirect_to_url": {"return_url": return_url, "url": page}}
    return {
        "type": "use_stripe_sdk",
        "use_stripe_sdk": {"type": "three_d_secure_redirect", "stripe_js": page},
    }


def microdeposits(world: World, intent_id: str) -> Doc:
    """Wait for the amounts of two deposits, or the code of one, from the payer's bank statement."""
    return {
        "type": "verify_with_microdeposits",
        "verify_with_microdeposits": {
            "arrival_date": world.now + DAY_S,
            "hosted_verification_url": f"{world.public_url}/microdeposits/{intent_id}",
            "microdeposit_type": "amounts",
        },
    }


def verified(world: World, intent: Doc, params: Doc) -> bool:
    """Read the given amounts or code: True once they are right, False once no further try is left.

    Raises StripeError for a wrong guess, and for an intent that does not wait for one.
    """
    action = (intent["next_action"] or {}).get("type")
    if intent["status"] != "requires_action" or action != "verify_with_microdeposits":
        raise errors.refused("This intent does not need its bank account verified with microdeposits.")
    outcome = _outcome(params)
    if outcome in ("verified", "too_many", "timeout"):
        return outcome == "verified"
    intent["_guesses"] = intent.get("_guesses", 0) + 1
    world.store.save(intent)
    if intent["_guesses"] >= ATTEMPTS_MAX:
        return False
    code = "amounts" if "amounts" in params else "descriptor_code"
    raise errors.refused(
        f"The {code.replace('_', ' ')} provided do not match the microdeposits sent to the bank account.",
        f"payment_method_microdeposit_verification_{code}_mismatch",
        code,
    )


def _outcome(params: Doc) -> str | None:
    code = forms.text(params, "descriptor_code")
    if code is not None:
        return CODES.get(code)
    given = forms.strings(params, "amounts")
    if len(given) != 2 or not all(amount.isdigit() for amount in given):
        raise errors.refused(
            "Provide two amounts in cents, or the descriptor code.",
            "payment_method_microdeposit_verification_amounts_invalid",
            "amounts",
        )
    return AMOUNTS.get((int(min(given, key=int)), int(max(given, key=int))))
