"""What Stripe shows of money after it was sent: payouts and reversals. Amounts are minor units."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenPayout:
    """A payout of a connected account, as a webhook or an answer showed it."""

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
    """A transfer reversal at Stripe, ours or made by hand in the dashboard."""

    stripe_reversal_id: str
    stripe_transfer_id: str
    amount: int
    reversed_at: datetime
    operation_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewReversal:
    """A reversal that was not noted before, with the transfer it belongs to."""

    stripe_reversal_id: str
    transfer_id: UUID
    amount: int
    reversed_at: datetime
