"""An amount as other programs' exports write it, in minor units; what a comma means is not guessed. Pure."""

import re
from collections.abc import Mapping
from typing import Final, Literal

from fleet.money import parse_minor

Decimals = Literal["point", "comma"]
Side = Literal["debit", "credit"]

_SIGNS: Final = re.compile(
    r"(?P<open>\()?(?P<minus>[-\u2212])?(?P<body>.*?)(?P<after>[-\u2212])?(?P<close>\))?"
)
_SYMBOLS: Final = "$€£¥"
_BLANKS: Final = re.compile("[ \u00a0\u202f']")
_GROUPED: Final = {
    "point": re.compile(r"\d{1,3}(,\d{3})+(\.\d+)?", re.ASCII),
    "comma": re.compile(r"\d{1,3}(\.\d{3})+(,\d+)?", re.ASCII),
}
_SIDED: Final = re.compile(r"(?P<amount>.*\d)\s*(?P<side>DR|CR|D|C|S|H)\.?", re.IGNORECASE | re.ASCII)
_SIDES: Final[Mapping[str, Side]] = {
    **dict.fromkeys(("DR", "D", "S"), "debit"),
    **dict.fromkeys(("CR", "C", "H"), "credit"),
}
_SHOWN_CHARS: Final = 40


def sided(written: str) -> tuple[str, Side | None]:
    """An amount and the side that stands behind it: `80,50 S`, `1,250.00 Cr`. None: it says none."""
    found = _SIDED.fullmatch(written.strip())
    return (written, None) if found is None else (found["amount"], _SIDES[found["side"].upper()])


def amount(written: str, currency: str, decimals: Decimals | None) -> int:
    """Read `1234.56`, `$1,234.56`, `(1,234.56)` or `1.234,56-`. ValueError with a sentence when it is none.

    decimals: what stands before the cents. None: a point, and a comma is refused, since it may be either.
    """
    shown = repr(written[:_SHOWN_CHARS])
    text = _BLANKS.sub("", written).removeprefix(currency).removesuffix(currency).strip(_SYMBOLS)
    signs = _SIGNS.fullmatch(text)
    if signs is None or bool(signs["open"]) != bool(signs["close"]):
        raise ValueError(f"amount: {shown} is not an amount of {currency}")
    if sum(bool(signs[name]) for name in ("open", "minus", "after")) > 1:
        raise ValueError(f"amount: {shown} has two signs")
    body = signs["body"].strip(_SYMBOLS).removeprefix(currency)
    if decimals is None and "," in body:
        raise ValueError(f"amount: {shown} has a comma; say --decimals point (1,234.56) or comma (1.234,56)")
    chosen = decimals or "point"
    if _GROUPED[chosen].fullmatch(body):
        body = body.replace("," if chosen == "point" else ".", "")
    elif chosen == "comma" and "." in body:
        raise ValueError(
            f"amount: {shown} has a point; with --decimals comma a point stands before thousands"
        )
    if chosen == "comma":
        body = body.replace(",", ".")
    try:
        value = parse_minor(body, currency)
    except ValueError:
        raise ValueError(f"amount: {shown} is not an amount of {currency}") from None
    return -value if signs["open"] or signs["minus"] or signs["after"] else value
