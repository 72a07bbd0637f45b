"""Messages out: how much may be let out, and how the reserve stands."""

from datetime import datetime
from typing import Any

from fleet.envelope import Message, first_cause
from schemas.reserves import ReserveChanged, ReserveGate, ReserveTerm
from services.reserves.domain.health import Judgement


def gate_message(gate: dict[str, Any], number: int, now: datetime) -> Message:
    """gate: the fields of the event but its number and time, as `steps.health` compares them."""
    event = ReserveGate(**gate, number=number, judged_at=now)
    return Message(topic="reserve.gate", key=event.currency, event=event, cause=first_cause())


def changed_message(currency: str, was: str, judged: Judgement, now: datetime) -> Message:
    event = ReserveChanged.model_validate(
        {
            "currency": currency,
            "health": judged.health,
            "was": was,
            "blocks_transfers": judged.blocks_transfers,
            "free": judged.free,
            "minimum": judged.minimum,
            "terms": [
                ReserveTerm(name=term.name, amount=term.amount, counts=term.counts) for term in judged.terms
            ],
            "sentence": judged.sentence,
            "judged_at": now,
        }
    )
    return Message(topic="reserve.changed", key=currency, event=event, cause=first_cause())
