"""Taking back what a payee owes of transfers that were sent: how much, of which, what is answered. Pure.

Amounts are minor units of one currency, all positive here. `now` is handed in; a transfer's window closes 72
hours after Stripe made it, by Stripe's clock (decision 0211).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from fleet.cause import Cause
from fleet.money import format_minor
from fleet.stripe_amounts import sendable
from services.payouts.domain.answers import INSUFFICIENT
from services.payouts.domain.orders import MoneyToMove, NewOperation, order_reversal
from services.payouts.domain.transfers import CLAWBACK

# What is sent just before the window closes reaches Stripe, whose clock is not ours, before it does.
MARGIN: Final = timedelta(minutes=1)
REFUSALS_MAX: Final = 3  # rounds in which Stripe refused something, before the rest is a debt again
GIVES_UP_AFTER: Final = CLAWBACK  # whatever was sent when it was asked, no window of it is open any more
CAUSE: Final = "clawback"


class Reason(StrEnum):
    """Why not all came back that was asked for; `done` when it did. As schemas/reversals.py has them."""

    DONE = "done"
    WINDOW_CLOSED = "window_closed"
    NOTHING_SENT = "nothing_sent"
    REFUSED = "refused"
    SHORT = "short"
    ALREADY_DEDUCTED = "already_deducted"
    UNKNOWN_DEBT = "unknown_debt"


@dataclass(frozen=True, slots=True, kw_only=True)
class Requested:
    """A request as it came. `source`: the debt's journal; `paid_by`: those whose transfers come first."""

    settlement_id: UUID
    wallet: str
    currency: str
    source: str
    asked: int
    paid_by: tuple[str, ...]
    trace: Cause


@dataclass(frozen=True, slots=True, kw_only=True)
class Clawback(Requested):
    """A request under way. `came_back`: what Stripe's reversals closed of what it claims so far."""

    state: str
    claimed: int
    came_back: int
    refusals: int
    requested_at: datetime

    @property
    def needs(self) -> int:
        return self.claimed - self.came_back


@dataclass(frozen=True, slots=True, kw_only=True)
class Debt:
    """Where the debt of a request stands.

    known: its journal was read; currency: None when what was read is no debt. `open`: what may be deducted
    from the next transfer. `in_other_claims`: another request is taking some of it back. `unsent`: what the
    payee is owed otherwise and was not sent yet. `unclear`: money of the payee is on its way to Stripe, or
    may be.
    """

    known: bool
    currency: str | None = None
    open: int = 0
    in_other_claims: bool = False
    unsent: int = 0
    unclear: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """How much of a debt is taken back; what is left open of it can be deducted as before."""

    amount: int
    left_open: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """Nothing can be decided yet, and why."""

    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a request is answered, beside what came back."""

    reason: Reason
    sentence: str


def decide_claim(asked: Requested, debt: Debt, age: timedelta) -> Claim | Wait | Answer:
    """Decide how much of a debt is kept out of what is paid next, so that it can be taken back.

    Money that was not sent is never sent and taken back: what it covers is deducted before it leaves. `age`:
    since the request.
    """
    source, over = asked.source, age >= GIVES_UP_AFTER
    if not debt.known:
        if over:
            return Answer(reason=Reason.UNKNOWN_DEBT, sentence=f"no journal {source} was posted in 72 hours")
        return Wait(sentence=f"waits for the journal {source}")
    if debt.currency != asked.currency:
        what = f"is in {debt.currency}" if debt.currency else "owes the payee something"
        return Answer(reason=Reason.UNKNOWN_DEBT, sentence=f"{source} {what}, {asked.wallet} owes nothing")
    if debt.unclear or (debt.in_other_claims and not debt.open):
        if over:
            return Answer(reason=Reason.WINDOW_CLOSED, sentence="what was sent is older than 72 hours by now")
        other = (
            "another request for the same debt" if debt.in_other_claims else "a transfer that is under way"
        )
        return Wait(sentence=f"waits for {other}")
    amount = min(asked.asked, debt.open - min(max(debt.unsent, 0), debt.open))
    if amount <= 0:
        gone = "money that was not sent yet covers it" if debt.open else "nothing of it is open"
        return Answer(reason=Reason.ALREADY_DEDUCTED, sentence=gone)
    return Claim(amount=amount, left_open=debt.open - amount)


@dataclass(frozen=True, slots=True, kw_only=True)
class SentMoney:
    """A transfer that was sent. `left`: what neither was taken back nor is about to be."""

    transfer_id: UUID
    stripe_transfer_id: str
    stripe_account: str
    left: int
    sent_at: datetime
    clawback_until: datetime
    paid_for_it: bool = False

    @property
    def not_after(self) -> datetime:
        return self.clawback_until - MARGIN


@dataclass(frozen=True, slots=True, kw_only=True)
class Take:
    """An amount to take back of a transfer."""

    of: SentMoney
    amount: int


def decide_takes(
    needs: int, currency: str, sent: Sequence[SentMoney], available: Mapping[str, int], now: datetime
) -> tuple[Take, ...] | Answer:
    """Choose what is taken back of which transfers, or say why nothing is.

    First of transfers that paid what the request names, then of the newest; never more than a transfer has
    left or its account has available. sent: newest first; available: Stripe account -> minor units.
    """
    takes: list[Take] = []
    rest = dict(available)
    # Transfers made in the same second keep their order: Stripe's times have whole seconds.
    for money in sorted(_open(sent, now), key=lambda m: (m.paid_for_it, m.sent_at), reverse=True):
        most = min(needs, money.left, max(rest.get(money.stripe_account, 0), 0))
        if (amount := sendable(most, currency)) > 0:
            takes.append(Take(of=money, amount=amount))
            needs -= amount
            rest[money.stripe_account] -= amount
    return tuple(takes) or _why_nothing(needs, currency, sent, now)


def _open(sent: Iterable[SentMoney], now: datetime) -> list[SentMoney]:
    return [money for money in sent if money.left > 0 and now < money.not_after]


def _why_nothing(needs: int, currency: str, sent: Sequence[SentMoney], now: datetime) -> Answer:
    if _open(sent, now):
        missing = f"{format_minor(needs, currency)} {currency}"
        sentence = f"the payee's Stripe account has not the {missing} available that are missing"
        return Answer(reason=Reason.SHORT, sentence=sentence)
    if any(money.left > 0 for money in sent):
        return Answer(reason=Reason.WINDOW_CLOSED, sentence="what was sent is older than 72 hours")
    return Answer(reason=Reason.NOTHING_SENT, sentence="no transfer has anything left to take back")


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A reversal of a request as it stands. reason and sentence: why it had no effect."""

    operation_id: UUID
    state: str
    reason: str | None
    refusal: str | None
    sentence: str | None


def after_refusals(clawback: Clawback, refusal: str, sentence: str) -> Answer | None:
    """What is answered when Stripe refused too often; None while it is worth another look."""
    if clawback.refusals < REFUSALS_MAX:
        return None
    return Answer(reason=Reason.SHORT if refusal in INSUFFICIENT else Reason.REFUSED, sentence=sentence)


def order_takes(clawback: Clawback, takes: Sequence[Take], ordered: int) -> list[NewOperation]:
    """The reversals of a request. ordered: how many it had before, since each has a cause of its own.

    The cause names transfer and amount too: decided otherwise after a restore it is another operation, and
    another key.
    """
    return [
        order_reversal(
            MoneyToMove(
                transfer_id=take.of.transfer_id,
                wallet=clawback.wallet,
                amount=take.amount,
                currency=clawback.currency,
                trace=clawback.trace,
            ),
            stripe_transfer_id=take.of.stripe_transfer_id,
            cause=f"{CAUSE}:{clawback.settlement_id}:{n}:{take.of.stripe_transfer_id}:{take.amount}",
            not_after=take.of.not_after,
        )
        for n, take in enumerate(takes, ordered + 1)
    ]


def final_answer(clawback: Clawback, why: Answer, transfers: Sequence[str]) -> Answer:
    """Say what became of a request. transfers: Stripe's ids of those of which something came back."""
    asked, back = (f"{format_minor(n, clawback.currency)}" for n in (clawback.asked, clawback.came_back))
    of = f" of transfer{'s' * (len(transfers) > 1)} {', '.join(transfers[:5])}"
    if clawback.came_back == clawback.asked:
        return Answer(reason=Reason.DONE, sentence=f"{back} {clawback.currency} came back{of}")
    came = f"{back} of {asked} {clawback.currency} came back{of if clawback.came_back else ''}"
    if clawback.came_back == clawback.claimed and clawback.claimed:
        return Answer(reason=Reason.ALREADY_DEDUCTED, sentence=f"{came}; unsent money covers the rest")
    return Answer(reason=why.reason, sentence=f"{came}: {why.sentence}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """An answered request. `reversals`: Stripe's ids of what came back for it."""

    asked: Requested
    reversed: int
    reversals: tuple[str, ...]
    reason: str
    sentence: str
    settled_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class FreeReversal:
    """Money that came back and closed no debt yet: named by this request, or reversed by hand."""

    stripe_reversal_id: str
    free: int


def shares(needs: int, free: Sequence[FreeReversal]) -> dict[str, int]:
    """How much of each reversal closes a debt, in their order, until it is closed."""
    found: dict[str, int] = {}
    for one in free:
        if (amount := min(one.free, needs)) > 0:
            found[one.stripe_reversal_id] = amount
            needs -= amount
    return found
