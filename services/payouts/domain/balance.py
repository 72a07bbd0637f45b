"""Which transfers the school's Stripe balance covers. Pure; amounts are minor units."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Short:
    """A transfer that waits for the school's balance."""

    id: UUID
    amount: int
    currency: str


def decide_covered(
    waiting: Sequence[Short], available: Mapping[str, int], committed: Mapping[str, int]
) -> list[UUID]:
    """Say which transfers the balance covers, oldest first; the first it does not ends its currency."""
    left = {currency: amount - committed.get(currency, 0) for currency, amount in available.items()}
    covered: list[UUID] = []
    for short in waiting:
        left[short.currency] = left.get(short.currency, 0) - short.amount
        if left[short.currency] >= 0:
            covered.append(short.id)
    return covered
