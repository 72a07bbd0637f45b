"""Reads what Stripe tells of saved payment methods. Of a card: when it expires."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Final

from pydantic import Field

from schemas.fields import Identifier
from services.receivables.domain.saved_methods import MethodDetached, MethodFact, MethodSeen, MethodSetUp
from services.receivables.domain.students import is_student_name
from services.receivables.wire.shapes import Metadata, Reference, Shape

SET_UP: Final = "setup_intent.succeeded"
_SEEN: Final = frozenset(
    {"payment_method.attached", "payment_method.updated", "payment_method.automatically_updated"}
)
_DETACHED: Final = "payment_method.detached"
TYPES: Final = frozenset({SET_UP, _DETACHED, *_SEEN})
STUDENT_KEY: Final = "hobbs_student"


class _SetupIntent(Shape):
    customer: Reference = None
    payment_method: Reference = None
    metadata: Metadata = None


class _Card(Shape):
    exp_month: Annotated[int | None, Field(ge=1, le=12)] = None
    exp_year: Annotated[int | None, Field(ge=2000, le=2200)] = None


class _PaymentMethod(Shape):
    id: Identifier
    type: Annotated[str, Field(max_length=50)]
    customer: Reference = None
    card: _Card | None = None


def method_fact(event_type: str, subject: Mapping[str, Any], at: datetime) -> MethodFact | None:
    """What an event says of a payment method; None: it was set up for nobody here. at: the event's time."""
    if event_type == SET_UP:
        return _set_up(_SetupIntent.model_validate(subject), at)
    method = _PaymentMethod.model_validate(subject)
    if event_type == _DETACHED:
        return MethodDetached(payment_method=method.id, at=at)
    card = method.card or _Card()
    whole = card.exp_year is not None and card.exp_month is not None
    return MethodSeen(
        payment_method=method.id,
        customer=method.customer,
        method_type=method.type,
        expires=(card.exp_year or 0, card.exp_month or 0) if whole else None,
        at=at,
    )


def _set_up(intent: _SetupIntent, at: datetime) -> MethodSetUp | None:
    student = (intent.metadata or {}).get(STUDENT_KEY)
    if not isinstance(student, str) or not is_student_name(student):
        return None
    if intent.customer is None or intent.payment_method is None:
        return None
    return MethodSetUp(payment_method=intent.payment_method, customer=intent.customer, student=student, at=at)
