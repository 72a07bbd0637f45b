"""Which amounts Stripe takes in a currency. Written beside the books' own table: each tests the other.

Source: docs.stripe.com/currencies (three-decimal currencies, special cases); the code for ISK is quoted in
support.stripe.com/questions/deprecation-of-fractional-isk-charges-and-refunds.
"""

from hobbs.local.stripe_sim import errors

TENS = frozenset({"bhd", "jod", "kwd", "omr", "tnd"})
HUNDREDS = frozenset({"isk", "ugx"})
HUNDREDS_IN_PAYOUTS = HUNDREDS | {"huf", "twd"}
NO_DECIMALS = "invalid_charge_amount_no_decimal_compatible"


def check(currency: str, amount: int, *, payout: bool = False) -> None:
    """Refuse an amount with decimals that Stripe does not take."""
    step = step_of(currency, payout=payout)
    if amount % step:
        raise errors.invalid_param(
            "amount",
            f"Invalid amount. Amounts in {currency.upper()} must be evenly divisible by {step}.",
            NO_DECIMALS if step == 100 else "parameter_invalid_integer",
        )


def step_of(currency: str, *, payout: bool = False) -> int:
    if currency in TENS:
        return 10
    return 100 if currency in (HUNDREDS_IN_PAYOUTS if payout else HUNDREDS) else 1
