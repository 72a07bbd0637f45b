"""Payees as the school's book and as Stripe describe them, and what keeps one from being paid. Pure."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final
from uuid import UUID

from services.payouts.domain.accounts import Agreement
from services.payouts.domain.answers import ACCOUNT_REFUSALS
from services.payouts.domain.operations import Kind, State
from services.payouts.domain.refusals import todo
from services.payouts.domain.transfers import SENTENCES, HoldReason

PAYEE_KINDS = frozenset({"instructor", "aircraft_owner"})
DISCONNECTED: Final = "disconnected"  # our own word: Stripe no longer shows us the account

# Stripe's disabled reasons: docs.stripe.com/api/accounts/object (requirements.disabled_reason) and
# docs.stripe.com/changelog/endive/2026-09-30/platform-rejection-reasons. Every `rejected.…` is a rejection.
_REJECTED: Final = "rejected."
_HOLDS: Final = {
    DISCONNECTED: HoldReason.ACCOUNT_DISCONNECTED,
    "action_required.requested_capabilities": HoldReason.CAPABILITY_MISSING,
    "listed": HoldReason.ACCOUNT_UNDER_REVIEW,
    "pending.onboarding": HoldReason.PAYEE_NOT_READY,
    "pending.review": HoldReason.ACCOUNT_UNDER_REVIEW,
    "platform_paused": HoldReason.ACCOUNT_PAUSED,
    "requirements.fields_needed": HoldReason.PAYEE_NOT_READY,
    "requirements.past_due": HoldReason.PAYEE_NOT_READY,
    "requirements.pending_verification": HoldReason.ACCOUNT_UNDER_REVIEW,
    "under_review": HoldReason.ACCOUNT_UNDER_REVIEW,
    **dict.fromkeys(ACCOUNT_REFUSALS, HoldReason.PAYEE_NOT_READY),  # doubted until the account was read again
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopped:
    """An operation that keeps its payee from being paid: a parked one, or the refused request for an account.

    reason: Stripe's code, or ours when it is parked; sentence: Stripe's, or what is not known.
    """

    kind: Kind
    state: State
    reason: str
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Payee:
    """A payee as configured, and as Stripe shows it. `parked`: one of its operations waits for a person.

    `disabled_reason` is Stripe's word; `due`: Stripe waits for details from the payee.
    """

    wallet: str
    schedule: str = "per_flight"
    minimum_amount: int = 0
    hold: timedelta = timedelta()
    instant: bool = False
    configured: bool = True
    removed: bool = False
    stripe_account: str | None = None
    ready: bool = False
    details_submitted: bool = False
    due: bool = False
    disabled_reason: str | None = None
    balance_negative: bool = False
    parked: bool = False
    stopped: Stopped | None = None


def payee_hold(payee: Payee) -> HoldReason | None:
    """Why nothing may be sent to this payee now, None when it can be paid."""
    if not payee.configured:
        return HoldReason.PAYEE_UNKNOWN
    if payee.removed:
        return HoldReason.PAYEE_REMOVED
    if payee.stripe_account is None:
        return _request_hold(payee)
    if not payee.ready:
        return account_hold(payee)
    if payee.balance_negative:
        return HoldReason.ACCOUNT_NEGATIVE
    return HoldReason.PARKED_OPERATION if payee.parked else None


def _request_hold(payee: Payee) -> HoldReason:
    """Why a payee has no account yet. While Stripe is asked again, its last refusal stands."""
    if payee.stopped is None:
        return HoldReason.ACCOUNT_MISSING
    parked = payee.stopped.state is State.PARKED
    return HoldReason.PARKED_OPERATION if parked else HoldReason.ACCOUNT_REFUSED


def hold_sentence(payee: Payee, hold: HoldReason) -> str:
    """What people read of a hold: what Stripe said and what to do, where one operation is the cause of it."""
    stopped, plain = payee.stopped, SENTENCES[hold]
    if stopped is None or hold not in (HoldReason.ACCOUNT_REFUSED, HoldReason.PARKED_OPERATION):
        return plain
    what_to_do = todo(stopped.kind, stopped.state, stopped.reason, stopped.sentence)
    said = f"{plain} ({stopped.reason}): {stopped.sentence}"
    if hold is HoldReason.PARKED_OPERATION:
        said = f"{plain} ({stopped.kind}, {stopped.reason}): {stopped.sentence}"
    return f"{said} To do: {what_to_do}"


def account_hold(payee: Payee) -> HoldReason:
    """Why Stripe keeps an account from being paid, by its disabled reason."""
    reason = payee.disabled_reason
    if reason is None:
        submitted = payee.details_submitted and not payee.due
        return HoldReason.ACCOUNT_UNDER_REVIEW if submitted else HoldReason.PAYEE_NOT_READY
    if reason.startswith(_REJECTED):
        return HoldReason.ACCOUNT_REJECTED
    return _HOLDS.get(reason, HoldReason.ACCOUNT_RESTRICTED)


@dataclass(frozen=True, slots=True, kw_only=True)
class PayeeCard:
    """A payee's dated card in the school's book. `withdrawn`: the book no longer has it."""

    kind: str
    key: str
    effective_from: date
    version: int
    country: str = "US"
    schedule: str = "per_flight"
    minimum_amount: int = 0
    hold_hours: int = 0
    instant: bool = False
    withdrawn: bool = False

    @property
    def wallet(self) -> str:
        return f"{self.kind}:{self.key}"


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountStatus:
    """What Stripe says of a connected account. `ready`: it may receive transfers, and pay out.

    `agreement`: None when Stripe shows nothing of the account.
    """

    stripe_account: str
    ready: bool
    details_submitted: bool
    charges_enabled: bool
    payouts_enabled: bool
    requirements: tuple[str, ...]
    disabled_reason: str | None
    balance_negative: bool
    agreement: Agreement | None = None


def differs(payee: Payee, status: AccountStatus) -> bool:
    """Whether Stripe says something else of a payee's account than it did when it was last read."""
    return (payee.ready, payee.disabled_reason, payee.balance_negative) != (
        status.ready,
        status.disabled_reason,
        status.balance_negative,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountToOpen:
    """A configured payee without a Stripe account. `refused`: how many requests for one Stripe refused."""

    wallet: str
    country: str
    refused: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkRequest:
    """A link that a person asked for: to Stripe's "onboarding", or to the Express "dashboard"."""

    id: UUID
    kind: str
    wallet: str
    stripe_account: str | None
