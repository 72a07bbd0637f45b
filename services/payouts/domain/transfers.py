"""The states of a transfer, the reasons for which it is held, and the sentences that people read. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from fleet.cause import Cause

CLAWBACK = timedelta(hours=72)


class TransferState(StrEnum):
    PENDING = "pending"
    HELD = "held"
    SENDING = "sending"
    SENT = "sent"
    IN_BANK = "in_bank"
    REFUSED = "refused"
    PARKED = "parked"
    PARTLY_REVERSED = "partly_reversed"
    REVERSED = "reversed"
    CANCELLED = "cancelled"


_S = TransferState
# from (None: it is new) -> what may follow. The database holds the same table: transition_is_in_the_table.
TRANSITIONS: dict[TransferState | None, frozenset[TransferState]] = {
    None: frozenset({_S.PENDING, _S.HELD}),
    _S.PENDING: frozenset({_S.HELD, _S.SENDING, _S.SENT, _S.CANCELLED}),
    _S.HELD: frozenset({_S.HELD, _S.PENDING, _S.SENT, _S.CANCELLED}),
    _S.SENDING: frozenset({_S.SENT, _S.PENDING, _S.HELD, _S.REFUSED, _S.PARKED}),
    _S.REFUSED: frozenset({_S.PENDING, _S.HELD, _S.SENT, _S.CANCELLED}),
    _S.PARKED: frozenset({_S.SENT, _S.PENDING, _S.HELD, _S.CANCELLED}),
    _S.SENT: frozenset({_S.IN_BANK, _S.PARTLY_REVERSED, _S.REVERSED}),
    _S.IN_BANK: frozenset({_S.SENT, _S.PARTLY_REVERSED, _S.REVERSED}),
    _S.PARTLY_REVERSED: frozenset({_S.PARTLY_REVERSED, _S.REVERSED}),
    _S.REVERSED: frozenset(),
    _S.CANCELLED: frozenset(),
}


def state_after_reversal(amount: int, amount_reversed: int) -> TransferState:
    return TransferState.REVERSED if amount_reversed >= amount else TransferState.PARTLY_REVERSED


class HoldReason(StrEnum):
    """Why a transfer is held. People read the sentence of the reason, or of what stopped its payee."""

    PAYEE_UNKNOWN = "payee_unknown"
    PAYEE_REMOVED = "payee_removed"
    ACCOUNT_MISSING = "account_missing"
    ACCOUNT_REFUSED = "account_refused"
    PAYEE_NOT_READY = "payee_not_ready"
    ACCOUNT_UNDER_REVIEW = "account_under_review"
    ACCOUNT_REJECTED = "account_rejected"
    ACCOUNT_PAUSED = "account_paused"
    CAPABILITY_MISSING = "capability_missing"
    ACCOUNT_DISCONNECTED = "account_disconnected"
    ACCOUNT_RESTRICTED = "account_restricted"
    ACCOUNT_NEGATIVE = "account_negative"
    PARKED_OPERATION = "parked_operation"
    ACCOUNT_CHANGED = "account_changed"
    HOLD_PERIOD = "hold_period"
    OFFSET = "offset"
    BALANCE_INSUFFICIENT = "balance_insufficient"
    RESERVE = "reserve"


_H = HoldReason
SENTENCES: dict[HoldReason, str] = {
    _H.PAYEE_UNKNOWN: "no configuration names this payee yet; it is paid once `hobbs school apply` does",
    _H.PAYEE_REMOVED: "the school's configuration no longer names this payee; add it again, or cancel",
    _H.ACCOUNT_MISSING: "the payee's Stripe account is being created",
    _H.ACCOUNT_REFUSED: "Stripe refused to make the payee's account",
    _H.PAYEE_NOT_READY: "the payee has to finish Stripe's onboarding; it is paid by itself afterwards",
    _H.ACCOUNT_UNDER_REVIEW: "Stripe is checking the payee's account; it is paid by itself afterwards",
    _H.ACCOUNT_REJECTED: "the payee's Stripe account was rejected and cannot be paid; ask Stripe's support, "
    "or pay another way and cancel",
    _H.ACCOUNT_PAUSED: "the school's platform paused the payee's Stripe account; resume it in Stripe's "
    "dashboard, and it is paid by itself",
    _H.CAPABILITY_MISSING: "the payee's Stripe account lacks a capability that has to be requested in "
    "Stripe's dashboard; it is paid by itself afterwards",
    _H.ACCOUNT_DISCONNECTED: "the payee's Stripe account is closed or no longer connected to the school; it "
    "is paid by itself once it is connected again; else pay another way and cancel",
    _H.ACCOUNT_RESTRICTED: "Stripe disabled the payee's account for a reason of its own; ask Stripe's "
    "support; it is paid by itself once the account is enabled",
    _H.ACCOUNT_NEGATIVE: "the payee's Stripe balance is negative and would swallow the money",
    _H.PARKED_OPERATION: "an earlier operation for this payee is parked; decide on that one first",
    _H.ACCOUNT_CHANGED: "the payee's Stripe account changed since this was earned; release it if right",
    _H.HOLD_PERIOD: "it is kept for the payee's hold period",
    _H.OFFSET: "the payee owes at least as much; it is set off against what is earned next",
    _H.BALANCE_INSUFFICIENT: "the school's Stripe balance does not cover it yet; it is sent once it does",
    _H.RESERVE: "the school keeps a reserve at Stripe; it is sent by itself once there is more",
}
# Reasons that lie with the payee: they hold all of its transfers, and end for all of them at once.
PAYEE_HOLDS = frozenset(
    {
        _H.PAYEE_UNKNOWN,
        _H.PAYEE_REMOVED,
        _H.ACCOUNT_MISSING,
        _H.ACCOUNT_REFUSED,
        _H.PAYEE_NOT_READY,
        _H.ACCOUNT_UNDER_REVIEW,
        _H.ACCOUNT_REJECTED,
        _H.ACCOUNT_PAUSED,
        _H.CAPABILITY_MISSING,
        _H.ACCOUNT_DISCONNECTED,
        _H.ACCOUNT_RESTRICTED,
        _H.ACCOUNT_NEGATIVE,
        _H.PARKED_OPERATION,
    }
)

# Reasons that Stripe gives for a payee's account: told at once, also while no money waits.
ACCOUNT_HOLDS = frozenset(
    {
        _H.ACCOUNT_UNDER_REVIEW,
        _H.ACCOUNT_REJECTED,
        _H.ACCOUNT_PAUSED,
        _H.CAPABILITY_MISSING,
        _H.ACCOUNT_DISCONNECTED,
        _H.ACCOUNT_RESTRICTED,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """A transfer's next state; `reason` and `sentence` for the states in which it waits or ends."""

    transfer_id: UUID
    to: TransferState
    reason: str | None = None
    sentence: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvenTransfer:
    """A transfer whose effect at Stripe is proven."""

    transfer_id: UUID
    stripe_transfer_id: str
    stripe_account: str
    sent_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SentTransfer:
    """A transfer that was just marked as sent. `payee`: its id; `sources`: what its payables came from.

    parts: debts of which it took a part, by their journals' sources, and how much, in minor units. deducted:
    how much it took off of those of which it took the last cent.
    """

    id: UUID
    wallet: str
    payee_kind: str
    payee: str
    instant: bool
    amount: int
    currency: str
    stripe_transfer_id: str
    stripe_account: str
    sources: tuple[str, ...]
    sent_at: datetime
    clawback_until: datetime
    trace: Cause
    parts: tuple[tuple[str, int], ...] = ()
    deducted: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class StoppedTransfer:
    """A transfer that is held, refused, parked or cancelled, and the reason."""

    id: UUID
    wallet: str
    payee_kind: str
    payee: str
    amount: int
    currency: str
    reason: str
    sentence: str
    trace: Cause


@dataclass(frozen=True, slots=True, kw_only=True)
class ReversedTransfer:
    """A transfer with the total that was taken back of it so far."""

    id: UUID
    wallet: str
    payee_kind: str
    payee: str
    amount: int
    amount_reversed: int
    currency: str
    stripe_transfer_id: str
    trace: Cause


@dataclass(frozen=True, slots=True, kw_only=True)
class LockedTransfer:
    """A transfer that a person decides on. `operation_id`: None when nothing was to be sent yet."""

    id: UUID
    wallet: str
    state: TransferState
    reason: str | None
    sentence: str | None
    operation_id: UUID | None
