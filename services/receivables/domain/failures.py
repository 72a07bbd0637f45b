"""Card payments that did not go through: who should be told, once. Pure."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentFailed:
    """One failed attempt. `attempt`: the failed charge's id, so that telling of it twice is one failure."""

    payment_intent_id: str
    attempt: str
    student: str | None
    amount: int
    currency: str
    code: str
    failed_at: datetime


def worth_telling(failure: PaymentFailed, paid_intents: Collection[str]) -> bool:
    """A failure that comes after the same payment went through is old news."""
    return failure.payment_intent_id not in paid_intents
