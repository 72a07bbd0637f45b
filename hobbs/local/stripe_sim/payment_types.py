"""Which types of payment method an intent or a session offers, by API version.

From 2026-09-30.endive on `payment_method_types` is refused and `allowed_payment_method_types` filters what is
offered; an older version takes the old list, which is read as the new one.
Sources: docs.stripe.com/changelog/endive/2026-09-30/removes-the-payment-method-types-parameter-from-payment-
intents-and-setup-intents, …/remove-payment-method-types-checkout-sessions (there a parameter like any unknown
one), docs.stripe.com/changelog/dahlia/2026-07-29/allowed-payment-method-types-parameter.
"""

from hobbs.local.stripe_sim import errors, forms
from hobbs.local.stripe_sim.world import Doc

GONE_SINCE = "2026-09-30"
OLD, NEW = "payment_method_types", "allowed_payment_method_types"
INTENTS = ("/v1/payment_intents", "/v1/setup_intents")
SESSIONS = "/v1/checkout/sessions"
KNOWN = ("card", "us_bank_account")
EXCLUSIVE = (
    OLD,
    "excluded_payment_method_types",
    "automatic_payment_methods",
    "payment_method_configuration",
)


def understood(method: str, path: str, version: str, params: Doc) -> Doc:
    """The parameters as the newest version names them. Raises StripeError where `version` has no such one."""
    intents, sessions = path.startswith(INTENTS), path.startswith(SESSIONS)
    if method != "POST" or OLD not in params or not (intents or sessions):
        return params
    if version[:10] >= GONE_SINCE:
        if sessions:
            return params  # refused as unknown, as the library's list of parameters has it
        raise errors.StripeError(
            400,
            "`payment_method_types` is no longer supported. Use `allowed_payment_method_types` or dynamic "
            "payment methods instead.",
            code="payment_method_types_no_longer_supported",
            param=OLD,
            saved=False,
        )
    return {name: value for name, value in params.items() if name != OLD} | {NEW: params[OLD]}


def offered(params: Doc, currency: str | None) -> list[str]:
    """Types that an intent or a session offers: those allowed that fit its currency, and never none."""
    if NEW in params:
        for other in EXCLUSIVE:
            if other in params:
                raise errors.invalid_param(
                    NEW, f"You may only specify one of these parameters: {NEW}, {other}."
                )
    wanted = forms.strings(params, NEW) or list(KNOWN)
    without = forms.strings(params, "excluded_payment_method_types")
    fitting = [type for type in KNOWN if type in wanted and type not in without and _fits(type, currency)]
    if not fitting:
        raise errors.invalid_param(
            NEW,
            "No valid payment method types for this request. Check the currency and the types that are "
            "allowed or excluded; the simulator has card and us_bank_account.",
        )
    return fitting


def _fits(type: str, currency: str | None) -> bool:
    """A US bank account is debited in dollars only: docs.stripe.com/payments/ach-direct-debit."""
    return type == "card" or currency in ("usd", None)


def renew(intent: Doc, params: Doc) -> None:
    """Take over the allowed types that an update or a confirmation of an intent names."""
    if NEW in params:
        intent |= {OLD: offered(params, intent.get("currency")), NEW: forms.strings(params, NEW)}


def require(intent: Doc, method: Doc) -> None:
    """Refuse a payment method whose type the intent does not offer. The wording is from memory."""
    offers = intent[OLD]
    if method["type"] not in offers:
        name = "PaymentIntent" if intent["object"] == "payment_intent" else "SetupIntent"
        raise errors.refused(
            f"The PaymentMethod provided ({method['type']}) is not allowed for this {name}. Please attach a "
            f"PaymentMethod of one of the following types: {', '.join(offers)}.",
            "payment_intent_incompatible_payment_method",
            "payment_method",
        )
