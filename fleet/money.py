"""Exact money: integer minor units, one way to round, one way to split."""

from collections.abc import Sequence

_DIGITS = {
    "BIF": 0, "CLP": 0, "DJF": 0, "GNF": 0, "ISK": 0, "JPY": 0, "KMF": 0, "KRW": 0, "MGA": 0, "PYG": 0,
    "RWF": 0, "UGX": 0, "VND": 0, "VUV": 0, "XAF": 0, "XOF": 0, "XPF": 0,
    "BHD": 3, "JOD": 3, "KWD": 3, "OMR": 3, "TND": 3,
}  # fmt: skip


def minor_digits(currency: str) -> int:
    """How many decimal digits a currency's minor unit has: ISO 4217's, and none for MGA, as it is used.

    Stripe's API writes some amounts in other units: see fleet/stripe_amounts.py.
    """
    return _DIGITS.get(currency, 2)


def half_up(numerator: int, denominator: int) -> int:
    """Divide and round to the nearest integer, halves away from zero. `denominator` is positive."""
    if denominator <= 0:
        raise ValueError("the denominator must be positive")
    sign = -1 if numerator < 0 else 1
    return sign * ((2 * abs(numerator) + denominator) // (2 * denominator))


def split_by_largest_remainder(total: int, weights: Sequence[int]) -> list[int]:
    """Split `total` in proportion to `weights` (not negative, not all zero); the parts sum to `total`.

    Left-over units go to the largest remainders, the earlier part first when they tie.
    """
    whole = sum(weights)
    if whole <= 0 or min(weights) < 0:
        raise ValueError("weights must not be negative and not all be zero")
    sign, amount = (-1, -total) if total < 0 else (1, total)
    parts = [amount * weight // whole for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda i: (-(amount * weights[i] % whole), i))
    for i in by_remainder[: amount - sum(parts)]:
        parts[i] += 1
    return [sign * part for part in parts]


def format_minor(amount: int, currency: str) -> str:
    """Write minor units for people: 36151 USD is "361.51"."""
    digits = minor_digits(currency)
    whole, part = divmod(abs(amount), 10**digits)
    sign = "-" if amount < 0 else ""
    return f"{sign}{whole}.{part:0{digits}d}" if digits else f"{sign}{whole}"


def percent_text(ppm: int) -> str:
    """Write parts per million as a percentage: 56000 is "5.6 %"; no digit is lost."""
    whole, part = divmod(ppm, 10_000)
    return f"{whole}.{part:04d}".rstrip("0").rstrip(".") + " %"


def parse_minor(text: str, currency: str) -> int:
    """Read an amount such as "165" or "-165.50" into minor units; ValueError when it is not exact."""
    digits = minor_digits(currency)
    sign, body = (-1, text[1:]) if text.startswith("-") else (1, text)
    whole, point, part = body.partition(".")
    exact = whole.isascii() and whole.isdigit() and (not point or (part.isascii() and part.isdigit()))
    if not exact or len(part) > digits:
        raise ValueError(f"{text!r} is not an amount of {currency} with at most {digits} decimals")
    return sign * int(whole + part.ljust(digits, "0"))
