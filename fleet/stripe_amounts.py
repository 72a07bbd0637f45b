"""Amounts at Stripe. The books keep ISO 4217's minor units; Stripe's API has other rules for some currencies.

Source: docs.stripe.com/currencies (minor units in API amounts, three-decimal currencies, special cases), and
support.stripe.com/questions/deprecation-of-fractional-isk-charges-and-refunds:
* zero-decimal currencies are whole units;
* ISK and UGX are written in hundredths, and the last two digits are 00;
* HUF and TWD are charged and transferred in hundredths, and paid out in multiples of 100;
* three-decimal currencies are written in thousandths, and the last digit is 0.

Every amount that goes to Stripe or comes from it passes through here. What cannot be written exactly in the
other's units is an error, never rounded.
"""

from fleet.money import minor_digits

# currency -> decimals of Stripe's unit; two for all others
_DECIMALS = dict.fromkeys(
    ("BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF").split(),  # noqa: SIM905
    0,
) | dict.fromkeys(("BHD", "JOD", "KWD", "OMR", "TND"), 3)
# currency -> what an amount is a multiple of, in Stripe's unit; one for all others
_STEPS = {"ISK": 100, "UGX": 100} | dict.fromkeys(("BHD", "JOD", "KWD", "OMR", "TND"), 10)
_PAYOUT_STEPS = _STEPS | {"HUF": 100, "TWD": 100}


PAYMENT_MAX = 99_999_999  # Stripe's most for one payment, in most currencies


class InexactAmount(ValueError):
    """An amount that the other side cannot write."""


def to_stripe(amount: int, currency: str) -> int:
    """Write an amount of the books (minor units) as Stripe's API has it. Raises InexactAmount."""
    return _scaled(amount, _decimals(currency) - minor_digits(currency.upper()), currency, "Stripe")


def from_stripe(amount: int, currency: str) -> int:
    """Write an amount of Stripe's API in minor units of the books. Raises InexactAmount."""
    return _scaled(amount, minor_digits(currency.upper()) - _decimals(currency), currency, "the books")


def sendable(amount: int, currency: str) -> int:
    """The most of `amount` (minor units) that one transfer can send."""
    return amount - amount % _step(currency, _STEPS)


def least_sendable(currency: str) -> int:
    """The smallest amount (minor units) that a transfer can send."""
    return _step(currency, _STEPS)


def payable_out(amount: int, currency: str) -> int:
    """The most of `amount` (minor units) that one payout to a bank can send."""
    return amount - amount % _step(currency, _PAYOUT_STEPS)


def whole_from_stripe(amount: int, currency: str) -> int:
    """What of a balance at Stripe the books can write, in minor units, rounded down."""
    more = minor_digits(currency.upper()) - _decimals(currency)
    return amount * _ten_to(more) // _ten_to(-more)


def _decimals(currency: str) -> int:
    return _DECIMALS.get(currency.upper(), 2)


def _step(currency: str, steps: dict[str, int]) -> int:
    """What an amount is a multiple of, in minor units of the books."""
    more = minor_digits(currency.upper()) - _decimals(currency)
    return max(steps.get(currency.upper(), 1) * _ten_to(more) // _ten_to(-more), 1)


def _scaled(amount: int, more: int, currency: str, whose: str) -> int:
    whole, rest = divmod(amount * _ten_to(more), _ten_to(-more))
    if rest:
        raise InexactAmount(f"{amount} {currency.upper()} has more decimals than {whose} can write")
    return whole


def _ten_to(power: int) -> int:
    """Ten to a power, one for a negative power."""
    return int(10 ** max(power, 0))
