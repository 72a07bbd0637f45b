"""Card payments that did not go through. Pure."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentFailed:
    """One failed attempt. `attempt` is the failed charge's id: two events about it are one failure."""

    payment_intent_id: str
    attempt: str
    student: str | None
    amount: int
    currency: str
    code: str
    failed_at: datetime


def worth_telling(failure: PaymentFailed, paid_intents: Collection[str]) -> bool:
    """Whether the student should be told: not when the same payment went through since."""
    return failure.payment_intent_id not in paid_intents
