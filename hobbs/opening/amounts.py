"""An amount as other programs' exports write it, in minor units; what a comma means is not guessed. Pure."""

import re
from collections.abc import Mapping
from typing import Final, Literal

from fleet.money import parse_minor
from hobbs.flights.cells import BLANKS, joined

Decimals = Literal["point", "comma"]
Side = Literal["debit", "credit"]

_MINUS: Final = "\u2212\u2013-"  # the hyphen last: it stands in brackets
_SIGNS: Final = re.compile(
    rf"(?P<open>\()?(?P<minus>[{_MINUS}])?(?P<body>.*?)(?P<after>[{_MINUS}])?(?P<close>\))?"
)
# A sign of money may stand for several currencies, but never for one that has another sign.
_SYMBOLS: Final[Mapping[str, frozenset[str]]] = {
    "€": frozenset({"EUR"}),
    "£": frozenset({"GBP", "GIP", "FKP", "SHP", "EGP", "LBP", "SDG", "SYP"}),
    "¥": frozenset({"JPY", "CNY"}),
}
_NO_DOLLARS: Final = frozenset[str]().union(*_SYMBOLS.values()) | {"CHF"}
_DOLLAR: Final = "$"
_AROUND: Final = re.compile(rf"(?<!\d)[{BLANKS}]+|[{BLANKS}]+(?!\d)|^'", re.ASCII)
_MORE_ZEROS: Final = re.compile(r"\d+\.\d{4,}", re.ASCII)  # three may be thousands
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
    text = _bare(_AROUND.sub("", written), currency, shown)
    signs = _SIGNS.fullmatch(text)
    if signs is None or bool(signs["open"]) != bool(signs["close"]):
        raise ValueError(f"amount: {shown} is not an amount of {currency}")
    if text in tuple(_MINUS):
        return 0  # as spreadsheets write zero in their format for accounting
    body = joined(_bare(signs["body"], currency, shown))
    if sum(bool(signs[name]) for name in ("open", "minus", "after")) + body.startswith(tuple(_MINUS)) > 1:
        raise ValueError(f"amount: {shown} has two signs")
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
        value = parse_minor(_exact(body), currency)
    except ValueError:
        raise ValueError(f"amount: {shown} is not an amount of {currency}") from None
    return -value if signs["open"] or signs["minus"] or signs["after"] else value


def _bare(text: str, currency: str, shown: str) -> str:
    """Without the currency's code and sign, on either side. Raises ValueError at another currency's sign."""
    bare = text.removeprefix(currency).removesuffix(currency)
    for sign, of in _SYMBOLS.items():
        if sign in bare and currency not in of:
            raise ValueError(f"amount: {shown} has the sign of another currency than {currency}")
    if _DOLLAR in bare and currency in _NO_DOLLARS:
        raise ValueError(f"amount: {shown} has the sign of another currency than {currency}")
    return bare.strip(_DOLLAR + "".join(_SYMBOLS))


def _exact(body: str) -> str:
    """`.50` is 0.50, and 12.5000, as databases write money, 12.50."""
    body = f"0{body}" if body.startswith(".") else body
    if not _MORE_ZEROS.fullmatch(body):
        return body
    whole, _, part = body.partition(".")
    return f"{whole}.{part[:2]}{part[2:].rstrip('0')}"
