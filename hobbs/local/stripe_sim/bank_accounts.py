"""Payment methods of type us_bank_account: Stripe's test accounts and what a debit of each one does.

An account given by number, or by one of Stripe's tokens, has to be verified with microdeposits once; one that
a payer gives on a Checkout page is verified there, as by Financial Connections. Source:
docs.stripe.com/payments/ach-direct-debit/accept-a-payment (test account numbers).
"""

from hobbs.local.stripe_sim import details, errors, forms
from hobbs.local.stripe_sim.identifiers import new_id
from hobbs.local.stripe_sim.world import Doc, World

ROUTING = "110000000"
NUMBERS = {
    "000123456789": "success",
    "000111111113": "account_closed",
    "000111111116": "no_account",
    "000222222227": "insufficient_funds",
    "000333333335": "debit_not_authorized",
    "000444444440": "invalid_currency",
    "000666666661": "fail_microdeposits",
    "000555555559": "dispute",
    "000000000009": "processing",
}
TOKENS = {
    "pm_usBankAccount_success": "000123456789",
    "pm_usBankAccount_accountClosed": "000111111113",
    "pm_usBankAccount_noAccount": "000111111116",
    "pm_usBankAccount_insufficientFunds": "000222222227",
    "pm_usBankAccount_debitNotAuthorized": "000333333335",
    "pm_usBankAccount_invalidCurrency": "000444444440",
    "pm_usBankAccount_failMicrodeposits": "000666666661",
    "pm_usBankAccount_dispute": "000555555559",
    "pm_usBankAccount_processing": "000000000009",
}


def payment_method(
    world: World,
    number: str,
    *,
    routing: str = ROUTING,
    holder_type: str = "individual",
    account_type: str = "checking",
    name: str | None = "Jenny Rosen",
    verified: bool = False,
) -> Doc:
    """A new payment method; `_outcome` is what a debit of it does, `_verified` whether it may be debited."""
    bank = {
        "account_holder_type": holder_type,
        "account_type": account_type,
        "bank_name": "STRIPE TEST BANK",
        "financial_connections_account": None,
        "fingerprint": f"simulated{number[-4:]}",
        "last4": number[-4:],
        "networks": {"preferred": "ach", "supported": ["ach"]},
        "routing_number": routing,
        "status_details": {},
    }
    return {
        "id": new_id("pm"),
        "object": "payment_method",
        "allow_redisplay": "unspecified",
        "billing_details": details.billing_details({"billing_details": {"name": name}}),
        "created": world.now,
        "customer": None,
        "customer_account": None,
        "livemode": False,
        "metadata": {},
        "type": "us_bank_account",
        "us_bank_account": bank,
        "_outcome": NUMBERS[number],
        "_verified": verified,
    }


def from_params(world: World, params: Doc) -> Doc:
    """What POST /v1/payment_methods makes of a type us_bank_account."""
    given = forms.nested(params, "us_bank_account")
    number = forms.required_text(given, "account_number")
    if number not in NUMBERS:
        raise errors.invalid_param(
            "us_bank_account[account_number]",
            "You must use a test bank account number in test mode. Try 000123456789 or see more options at "
            "https://stripe.com/docs/connect/testing#account-numbers.",
            "account_number_invalid",
        )
    routing = forms.required_text(given, "routing_number")
    if routing != ROUTING:
        raise errors.invalid_param(
            "us_bank_account[routing_number]",
            f"Invalid routing number: the simulator knows {ROUTING} only.",
            "routing_number_invalid",
        )
    billing = forms.nested(params, "billing_details")
    doc = payment_method(
        world,
        number,
        holder_type=forms.choice(given, "account_holder_type", ("individual", "company"), "individual"),
        account_type=forms.choice(given, "account_type", ("checking", "savings"), "checking"),
        name=forms.required_text(billing, "name"),
    )
    doc["billing_details"] |= billing
    return doc | {"metadata": forms.metadata(params)}
