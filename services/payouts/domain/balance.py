"""Which transfers the school's Stripe balance covers. Pure; amounts are minor units."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingForBalance:
    """A transfer's operation that the balance did not cover when it was tried."""

    operation_id: UUID
    amount: int
    currency: str


def decide_covered(
    waiting: Sequence[WaitingForBalance], available: Mapping[str, int], committed: Mapping[str, int]
) -> list[UUID]:
    """Say which operations the balance covers, oldest first; the first that it does not ends its currency.

    `available` and `committed`: currency -> what the balance holds, and what is under way from it.
    """
    left = {currency: amount - committed.get(currency, 0) for currency, amount in available.items()}
    covered: list[UUID] = []
    for transfer in waiting:
        left[transfer.currency] = left.get(transfer.currency, 0) - transfer.amount
        if left[transfer.currency] >= 0:
            covered.append(transfer.operation_id)
    return covered
