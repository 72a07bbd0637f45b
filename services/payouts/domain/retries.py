"""When a stopped operation is tried again: one rule for each kind, whoever asks (decision 0192). Pure.

Money moves once: only what Stripe definitively refused is sent again, under a new key. And it moves at the
right time: an instant payout only while its transfer's money still lies at Stripe, a reversal only while
nobody took the money back otherwise.
"""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from fleet.cause import Cause
from services.payouts.domain.answers import ACCOUNT_REFUSALS, INSUFFICIENT
from services.payouts.domain.operations import Kind, State
from services.payouts.domain.payees import Payee, hold_sentence, payee_hold
from services.payouts.domain.refusals import Whose, advice
from services.payouts.domain.transfers import TransferState

ENABLED_MOST = 5  # generations that an account which is enabled again and again starts


class Occasion(StrEnum):
    """Why a stopped operation is tried again now."""

    DUE = "due"
    SCHOOL = "school"
    ENABLED = "enabled"
    KEY = "key"
    ANOTHER_MADE = "another_made"
    PERSON = "person"


TOLD_OF = {
    Occasion.DUE: "some time has passed",
    Occasion.SCHOOL: "a version of the school's book was accepted",
    Occasion.ENABLED: "Stripe enabled the payee's account",
    Occasion.KEY: "the service has another key, or another way to make accounts",
    Occasion.ANOTHER_MADE: "Stripe made the account of another payee",
    Occasion.PERSON: "somebody asked for it",
}


class Chance(StrEnum):
    """What becomes of a stopped operation on an occasion."""

    RETRY = "retry"
    WAIT = "wait"  # not now: it stays stopped
    OVER = "over"  # there is nothing left to do


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedOperation:
    """A refused operation that nobody dealt with. reason: Stripe's code, else its type."""

    id: UUID
    kind: Kind
    wallet: str
    reason: str
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StoppedOperation:
    """A refused or parked operation with what decides on trying it again.

    `occasion`: what it is due for, if it is due; `left`: of its transfer, what was not taken back;
    `taken_back`: something was, since this was decided; `brought`: a payout brought the transfer's money to
    the bank; `on_its_way`: one may be about to; `followed`: another request for the account was made.
    """

    id: UUID
    kind: Kind
    wallet: str
    state: State
    reason: str
    sentence: str
    generation: int
    trace: Cause
    transfer_id: UUID | None = None
    transfer_state: TransferState | None = None
    amount: int | None = None
    currency: str | None = None
    occasion: Occasion = Occasion.DUE
    left: int = 0
    taken_back: bool = False
    brought: bool = False
    on_its_way: bool = False
    followed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What becomes of it, and why when it is not tried again."""

    chance: Chance
    why: str = ""


def ends_with(refused: RefusedOperation, occasion: Occasion) -> bool:
    """Whether what concerns the whole school may have removed the cause of a refusal."""
    whose = advice(refused.kind, refused.reason, refused.sentence).whose
    match occasion:
        case Occasion.SCHOOL:
            return refused.kind is Kind.ACCOUNT
        case Occasion.KEY:
            return whose is not Whose.PAYEE
        case Occasion.ANOTHER_MADE:
            return refused.kind is Kind.ACCOUNT and whose is Whose.PLATFORM
        case _:
            return False


def ends_with_the_account(stopped: StoppedOperation) -> bool:
    """Whether a refusal ends when Stripe enables its payee's account."""
    if stopped.state is State.PARKED:
        return False
    if stopped.kind is Kind.TRANSFER:
        return stopped.reason in ACCOUNT_REFUSALS and stopped.generation < ENABLED_MOST
    if stopped.kind is Kind.INSTANT_PAYOUT:
        return stopped.reason not in INSUFFICIENT and stopped.generation < ENABLED_MOST
    return stopped.kind is Kind.REVERSAL and stopped.reason in ACCOUNT_REFUSALS | INSUFFICIENT


def judge(stopped: StoppedOperation, payee: Payee | None, occasion: Occasion) -> Judgement:
    """Decide whether a stopped operation is tried again on an occasion that concerns it."""
    if stopped.state is State.PARKED:
        return Judgement(chance=Chance.RETRY)
    if payee is None or stopped.kind in (Kind.REFUND, Kind.CHARGE):  # students are no payees
        return Judgement(chance=Chance.OVER, why="its request goes on without it")
    match stopped.kind:
        case Kind.ACCOUNT:
            return _judge_account(stopped, payee)
        case Kind.TRANSFER:
            return _unless_held(payee)
        case Kind.INSTANT_PAYOUT:
            return _judge_instant_payout(stopped, payee)
        case Kind.REVERSAL:
            return _judge_reversal(stopped, occasion)


def _judge_account(stopped: StoppedOperation, payee: Payee) -> Judgement:
    if stopped.followed:
        return Judgement(chance=Chance.OVER, why=f"an account for {payee.wallet} is asked for again already")
    if payee.stripe_account is not None:
        return Judgement(chance=Chance.OVER, why=f"{payee.wallet} has an account by now")
    if payee.removed or not payee.configured:
        return Judgement(chance=Chance.OVER, why=f"the school's book no longer names {payee.wallet}")
    return Judgement(chance=Chance.RETRY)


def _unless_held(payee: Payee) -> Judgement:
    hold = payee_hold(payee)
    if hold is None:
        return Judgement(chance=Chance.RETRY)
    why = f"{payee.wallet} cannot be paid now: {hold_sentence(payee, hold)}"
    return Judgement(chance=Chance.WAIT, why=why)


def _judge_instant_payout(stopped: StoppedOperation, payee: Payee) -> Judgement:
    """The ordinary payout takes the whole balance: an instant one after it would pay out other money."""
    if stopped.transfer_state is not TransferState.SENT or stopped.brought:
        return Judgement(
            chance=Chance.OVER, why="the ordinary payout brought the money, or it was taken back"
        )
    if not payee.instant:
        return Judgement(chance=Chance.OVER, why=f"{payee.wallet} has no instant payouts any more")
    if stopped.on_its_way:
        return Judgement(chance=Chance.WAIT, why="a payout of the payee's balance is on its way to the bank")
    return _unless_held(payee)


def _judge_reversal(stopped: StoppedOperation, occasion: Occasion) -> Judgement:
    if stopped.left < (stopped.amount or 0):
        return Judgement(chance=Chance.WAIT, why="less is left of the transfer than it would take back")
    if stopped.taken_back and occasion is not Occasion.PERSON:
        return Judgement(
            chance=Chance.WAIT, why="something of the transfer was taken back since it was decided"
        )
    return Judgement(chance=Chance.RETRY)
