"""Payment methods that students saved on Stripe's page: what Stripe tells of them. Pure.

No digit of a card comes here: whose it is, its type and when it expires are all that is read.
"""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodSetUp:
    """A student set a payment method up; it is the one that is charged from then on."""

    payment_method: str
    customer: str
    student: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodSeen:
    """What a payment method is now. expires: year and month, None where it does not expire."""

    payment_method: str
    customer: str | None
    method_type: str
    expires: tuple[int, int] | None
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodDetached:
    """A payment method was removed from its customer: it is charged no more."""

    payment_method: str
    at: datetime


MethodFact = MethodSetUp | MethodSeen | MethodDetached


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedMethod:
    """The payment method of a student that is charged."""

    payment_method: str
    customer: str
    method_type: str
    set_up_at: datetime
