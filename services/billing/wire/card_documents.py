"""A card's document, as published and stored, read as billing's own card of its kind."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from schemas.school import ChangeKind, read_card
from services.billing.domain import rates

_CARD_TYPES: Mapping[str, type[Any]] = {
    "school": rates.SchoolCard,
    "tax": rates.TaxCard,
    "aircraft": rates.AircraftCard,
    "instructor": rates.InstructorCard,
    "owner": rates.OwnerCard,
    "student": rates.StudentCard,
    "student_rate": rates.StudentRateCard,
}


def read_card_of(kind: ChangeKind, document: Mapping[str, Any]) -> rates.Card:
    """Read a card's document as billing's own card of this kind."""
    model = read_card(kind, dict(document))
    card_type = _CARD_TYPES[kind]
    values = {field.name: getattr(model, field.name) for field in fields(card_type)}
    if "airport_fees" in values:
        fees = values["airport_fees"]
        values["airport_fees"] = tuple(rates.AirportFee(name=fee.name, amount=fee.amount) for fee in fees)
    made: rates.Card = card_type(**values)
    return made
