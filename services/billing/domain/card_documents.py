"""Reads a card's document, as published and stored, into billing's own card of its kind. Pure.

A document that was not validated before (somebody changed a row by hand) raises a TypeError or a KeyError
that names what is wrong. A setting that the document leaves out has the card's default, which is the default
of the published model too; a setting that billing does not price by (a payee's address) is skipped.
"""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from services.billing.domain import rates

_CARD_TYPES: Mapping[str, type[Any]] = {
    "adjustments": rates.AdjustmentsCard,
    "reserve": rates.ReserveCard,
    "credit": rates.CreditCard,
    "credit_limit": rates.CreditLimitCard,
    "school": rates.SchoolCard,
    "tax": rates.TaxCard,
    "aircraft": rates.AircraftCard,
    "instructor": rates.InstructorCard,
    "owner": rates.OwnerCard,
    "student": rates.StudentCard,
    "student_rate": rates.StudentRateCard,
}


def read_card(kind: str, document: Mapping[str, Any]) -> rates.BookCard:
    """Read a valid document of this kind as billing's card. Money is minor units, `_ppm` millionths."""
    card_type = _CARD_TYPES[kind]
    known = {field.name for field in fields(card_type)}
    card: rates.BookCard = card_type(
        **{name: _value(name, document[name]) for name in document if name in known}
    )
    return card


def _value(name: str, value: Any) -> Any:
    if name == "airport_fees":
        return tuple(_airport_fee(fee) for fee in value)
    if name in ("waterfall", "exempt_wallets"):
        return tuple(_scalar(name, one) for one in value)
    if name == "tax":
        return {line: _scalar(f"tax on {line}", ppm) for line, ppm in value.items()}
    return _scalar(name, value)


def _airport_fee(fee: Mapping[str, Any]) -> rates.AirportFee:
    return rates.AirportFee(name=_scalar("name", fee["name"]), amount=_scalar("amount", fee["amount"]))


def _scalar(name: str, value: Any) -> Any:
    """A card's value is text, a whole number, true or false, or nothing. Raises TypeError for a fraction."""
    if not isinstance(value, str | int | None):
        raise TypeError(f"{name} is {value!r}, which is no value of a card")
    return value
