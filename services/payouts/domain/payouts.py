"""What Stripe shows of money after it was sent: payouts and reversals. Amounts are minor units."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

# In the order in which a payout moves through them.
PAYOUT_STATUSES: Final = ("pending", "in_transit", "paid", "canceled", "failed")


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenPayout:
    """A payout of a connected account, as a webhook or an answer showed it.

    `amount` is negative when Stripe took the money from the payee's bank, for a negative balance.
    """

    stripe_payout_id: str
    stripe_account: str
    amount: int
    currency: str
    status: str
    instant: bool
    made_at: datetime
    failure: str | None = None
    operation_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenReversal:
    """A transfer reversal at Stripe, ours or made by hand in the dashboard.

    `operation_id` and `cause`: of the operation of ours that its metadata names.
    """

    stripe_reversal_id: str
    stripe_transfer_id: str
    amount: int
    currency: str
    reversed_at: datetime
    operation_id: UUID | None = None
    cause: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewReversal:
    """A reversal that was not noted before, with the transfer it belongs to."""

    stripe_reversal_id: str
    transfer_id: UUID
    amount: int
    reversed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ReversibleTransfer:
    """A transfer as far as a reversal can be compared with it."""

    stripe_transfer_id: str
    amount: int
    amount_reversed: int
    currency: str


def fitting_reversals(
    reversals: Sequence[SeenReversal], transfers: Sequence[ReversibleTransfer]
) -> tuple[list[SeenReversal], list[tuple[SeenReversal, str]]]:
    """Compare new reversals with their transfers: those that fit, and those that do not, with why."""
    left = {t.stripe_transfer_id: t.amount - t.amount_reversed for t in transfers}
    currencies = {t.stripe_transfer_id: t.currency for t in transfers}
    fit: list[SeenReversal] = []
    unfit: list[tuple[SeenReversal, str]] = []
    for reversal in sorted(reversals, key=lambda r: (r.reversed_at, r.stripe_reversal_id)):
        transfer = reversal.stripe_transfer_id
        if transfer not in left:  # no transfer of ours
            continue
        if reversal.currency != currencies[transfer]:
            why = f"currency is {reversal.currency}, its transfer's is {currencies[transfer]}"
            unfit.append((reversal, why))
        elif reversal.amount > left[transfer]:
            unfit.append((reversal, f"amount is {reversal.amount}, its transfer has {left[transfer]} left"))
        else:
            left[transfer] -= reversal.amount
            fit.append(reversal)
    return fit, unfit
