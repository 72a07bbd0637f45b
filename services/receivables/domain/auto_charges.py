"""When a student's saved card is charged by itself, how much, and what follows a decline. Pure.

Decision 0351.

A charge has a cause, and a cause has one charge. One charge of a student is under way at a time. Amounts are
minor units of the school's currency.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from typing import Final, Literal
from uuid import NAMESPACE_URL, UUID, uuid5

from fleet.stripe_amounts import sendable, to_stripe
from services.receivables.domain.dunning import CAUSE
from services.receivables.domain.saved_methods import SavedMethod

Occasion = Literal["each_flight", "threshold", "day", "off"]
State = Literal["asked", "processing", "succeeded", "declined", "not_made"]

# Whose rule each is, and where it was read: docs/operations/cards.md.
DECLINES_MAX: Final = 4  # of one method in DECLINES_IN: card networks allow more, and count others' too
DECLINES_IN: Final = timedelta(days=30)
BANK_ACCOUNT: Final = "us_bank_account"
DEBITED_AGAIN_MAX: Final = 2  # a returned debit, in RETURNS_IN, whatever the cause is by then
RETURNS_IN: Final = timedelta(days=180)
BURST_MAX: Final = 3  # charges of one student in BURST_IN
BURST_IN: Final = timedelta(minutes=10)
# For so long what the ledger was asked to post and has not counts as paid.
ASKED_IN: Final = timedelta(days=7)
REST: Final = timedelta(hours=1)  # after a decline, or a charge that was not made
NOT_MADE_FOR: Final = timedelta(days=1)  # for so long one that was not made may be asked for anew
LEAST_AT_STRIPE: Final = 50  # in Stripe's units: less is refused
DAY_MOST: Final = 28
_GAPS: Final = (timedelta(days=1), timedelta(days=3), timedelta(days=7))
_FRIDAY: Final = 5
_PAYDAYS: Final = (1, 15)
_CAUSE_CHARS: Final = 97  # a cause has 100 with the number of its retry
DUNNING: Final = f"{CAUSE}:"
_NAMES: Final = uuid5(NAMESPACE_URL, "hobbs:receivables:auto-charge")


class DeclineClass(StrEnum):
    """What follows a decline."""

    LATER = "later"  # the same method, after a while
    ANOTHER_CARD = "another_card"  # this method is no good: the student saves another one
    AUTHENTICATION = "authentication"  # the bank asks for the student: a link, no retry
    STOP = "stop"  # lost, stolen, closed, fraud: never again with this method


_STOP: Final = frozenset(
    {
        "account_closed",
        "bank_account_restricted",
        "debit_not_authorized",
        "fraudulent",
        "lost_card",
        "merchant_blacklist",
        "pickup_card",
        "restricted_card",
        "revocation_of_all_authorizations",
        "revocation_of_authorization",
        "security_violation",
        "stolen_card",
        "stop_payment_order",
    }
)
# Stripe blocks an account whose debit came back for another reason than missing money; a mandate may end.
_ANOTHER_CARD: Final = frozenset(
    {
        "bank_account_unusable",
        "card_not_supported",
        "currency_not_supported",
        "expired_card",
        "incorrect_cvc",
        "incorrect_number",
        "incorrect_zip",
        "invalid_account",
        "invalid_cvc",
        "invalid_expiry_month",
        "invalid_expiry_year",
        "invalid_number",
        "no_account",
        "payment_intent_mandate_invalid",
        "payment_method_customer_decline",
        "resource_missing",
        "transaction_not_allowed",
    }
)
# A dispute that a bank opened because it could not pay a debit; every other dispute is the holder's word.
_RETURNS: Final = {
    "bank_cannot_process": DeclineClass.ANOTHER_CARD,
    "incorrect_account_details": DeclineClass.ANOTHER_CARD,
    "insufficient_funds": DeclineClass.LATER,
}
_AUTHENTICATION: Final = frozenset(
    {
        "authentication_not_handled",
        "authentication_required",
        "offline_pin_required",
        "online_or_offline_pin_required",
        "payment_intent_authentication_failure",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodUse:
    """How a method fared. declines: within DECLINES_IN; of a bank account also since the last debit that was
    paid, within RETURNS_IN.
    """

    declines: int
    is_bank_account: bool


def decline_class(code: str | None, advice: str | None) -> DeclineClass:
    """What follows a decline, by Stripe's code and the network's advice. Whatever is not known: later."""
    if code in _STOP:
        return DeclineClass.STOP
    if code in _AUTHENTICATION:
        return DeclineClass.AUTHENTICATION
    if advice == "do_not_try_again":
        return DeclineClass.STOP
    if code in _ANOTHER_CARD or advice == "confirm_card_data":
        return DeclineClass.ANOTHER_CARD
    return DeclineClass.LATER


def declines_max(*, is_bank_account: bool) -> int:
    """How often a method may be declined, as MethodUse counts, before it is left alone."""
    return DEBITED_AGAIN_MAX + 1 if is_bank_account else DECLINES_MAX


def taken_back_class(code: str | None, *, disputed: bool) -> DeclineClass:
    """What follows when the money of a charge is taken back later; disputed: by a dispute that was lost.

    Whoever contested a charge is not charged again by the same method.
    """
    return _RETURNS.get(code or "", DeclineClass.STOP) if disputed else decline_class(code, None)


def next_try(
    kind: DeclineClass,
    code: str | None,
    attempt: int,
    method: MethodUse,
    now: datetime,
    today: date,
) -> datetime | None:
    """When a declined charge is tried again with the same method, None: it is not.

    attempt: which one of its cause it was; method: with this decline. Where money was missing, the day is one
    on which many are paid: a Friday, the 1st or the 15th.
    """
    most = declines_max(is_bank_account=method.is_bank_account)
    if kind is not DeclineClass.LATER or method.declines >= most or attempt > min(most - 1, len(_GAPS)):
        return None
    gap = _GAPS[attempt - 1]
    if code == "insufficient_funds":
        while not _is_payday(today + gap):
            gap += timedelta(days=1)
    return now + gap


def _is_payday(day: date) -> bool:
    return day.isoweekday() == _FRIDAY or day.day in _PAYDAYS


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What a student allowed. threshold: what is owed at least; day: of the month."""

    student: str
    occasion: Occasion
    threshold: int | None
    day: int | None
    most: int
    most_a_day: int
    chosen_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class LastCharge:
    """The newest charge of a student. attempt: which one of its cause."""

    cause: str
    attempt: int
    state: State
    kind: DeclineClass | None
    answered_at: datetime | None
    retry_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What decides on charging a student now.

    owed: by the ledger, less what is on its way there; charged_today: made or under way; recent: charges
    decided within BURST_IN; declines: of the method, as MethodUse counts; thresholds: charges because of a
    threshold there ever were; used: causes among `causes_of` that have their charge. overdue: what of it is
    overdue, dunning: the cause of the charge that the newest step of dunning asks for. in_question: a
    correction of a flight of theirs is not decided or not posted, so they may owe less.
    """

    currency: str
    owed: int
    disputed: int
    charged_today: int
    recent: int
    declines: int
    thresholds: int
    newest_flight: str | None
    last: LastCharge | None
    used: frozenset[str]
    overdue: int = 0
    dunning: str | None = None
    in_question: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCharge:
    """A charge as decided: nothing of it changes later."""

    request_id: UUID
    student: str
    cause: str
    attempt: int
    currency: str
    amount: int
    method: SavedMethod


def request_id(student: str, cause: str) -> UUID:
    """Name a charge by its student and cause: decided again, it is the same one."""
    return uuid5(_NAMES, f"{student}\x1f{cause}")


def causes_of(choice: Choice, newest_flight: str | None, thresholds: int, today: date) -> list[str]:
    """The cause for which a student may be charged now by their choice: one or none."""
    match choice.occasion:
        case "each_flight":
            return [_short(newest_flight)] if newest_flight else []
        case "threshold":
            return [f"threshold:{thresholds + 1}"]
        case "day":
            due = today.replace(day=choice.day or 1)
            return [f"day:{due:%Y-%m}"] if choice.chosen_on <= due <= today else []
        case "off":
            return []


def decide(
    choice: Choice, method: SavedMethod, standing: Standing, now: datetime, today: date
) -> NewCharge | None:
    """Charge the student's method now, for which cause and how much; None: not now.

    After a decline, or a charge that was not made, nothing is charged for an hour, and nothing before the
    retry that is planned: it takes what is owed by then. A method that was set up since ends the wait. A
    dispute stops all charges, and so does a correction that is not decided: nobody pays for a flight that was
    cancelled.
    """
    most = declines_max(is_bank_account=method.method_type == BANK_ACCOUNT)
    if standing.disputed or standing.in_question:
        return None
    if standing.recent >= BURST_MAX or standing.declines >= most:
        return None
    last = standing.last
    if last is not None and last.state in ("asked", "processing"):
        return None
    cause, attempt = _cause(choice, method, standing, now, today)
    if cause is None or cause in standing.used:
        return None
    amount = _amount(choice, standing, cause)
    if amount == 0:
        return None
    return NewCharge(
        request_id=request_id(choice.student, cause),
        student=choice.student,
        cause=cause,
        attempt=attempt,
        currency=standing.currency,
        amount=amount,
        method=method,
    )


def _cause(
    choice: Choice, method: SavedMethod, standing: Standing, now: datetime, today: date
) -> tuple[str | None, int]:
    """The cause of a charge and which attempt at it this is."""
    last = standing.last
    if last is not None and last.state == "declined" and last.answered_at is not None:
        anew = method.set_up_at > last.answered_at
        if anew or (last.retry_at is not None and last.retry_at <= now):
            return retry_of(last.cause, last.attempt), last.attempt + 1
        if last.retry_at is not None or now < last.answered_at + REST:
            return None, 0
    enough = choice.occasion != "threshold" or standing.owed >= (choice.threshold or 0)
    if last is not None and last.state == "not_made" and last.answered_at is not None:
        if now < last.answered_at + REST:
            return None, 0
        if enough and now < last.answered_at + NOT_MADE_FOR:
            return retry_of(last.cause, last.attempt), last.attempt + 1
    if standing.dunning is not None and standing.dunning not in standing.used:
        return standing.dunning, 1
    if not enough:
        return None, 0
    causes = causes_of(choice, standing.newest_flight, standing.thresholds, today)
    return (causes[0], 1) if causes else (None, 0)


def retry_of(cause: str, attempt: int) -> str:
    """The cause of the next attempt at what a cause asked for."""
    base = cause.rpartition("#")[0] if attempt > 1 else cause
    return f"{base}#{attempt + 1}"


def _short(cause: str) -> str:
    """A cause that leaves room for the number of a retry."""
    return cause if len(cause) <= _CAUSE_CHARS else f"flight:{sha256(cause.encode()).hexdigest()}"


def _amount(choice: Choice, standing: Standing, cause: str) -> int:
    """What is owed, up to what the student allowed; 0 where Stripe would take it for too little.

    For a step of dunning only what is overdue: the rest waits for the student's own occasion.
    """
    left = choice.most_a_day - standing.charged_today
    owed = min(standing.owed, standing.overdue) if cause.startswith(DUNNING) else standing.owed
    amount = sendable(max(min(owed, choice.most, left), 0), standing.currency)
    return amount if to_stripe(amount, standing.currency) >= LEAST_AT_STRIPE else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargeAnswer:
    """What payouts says became of a charge."""

    request_id: UUID
    student: str
    cause: str
    currency: str
    amount: int
    outcome: Literal["succeeded", "processing", "declined", "not_made"]
    payment_intent: str | None
    charge: str | None
    code: str | None
    advice: str | None
    sentence: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownCharge:
    """A charge as it was decided, and where it stands."""

    request_id: UUID
    student: str
    cause: str
    attempt: int
    currency: str
    amount: int
    payment_method: str | None
    payment_intent: str | None
    state: State


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenBack:
    """A charge that was made, whose money a bank took back. code: Stripe's, or the dispute's reason."""

    charge: KnownCharge
    charge_id: str
    code: str
    disputed: bool


_SAID: Final[Mapping[DeclineClass, str]] = {
    DeclineClass.LATER: "it is tried again later",
    DeclineClass.ANOTHER_CARD: "save another card or bank account: the school sends a link",
    DeclineClass.AUTHENTICATION: "the bank wants to hear from you: the school sends a link to pay by",
    DeclineClass.STOP: "this card is not charged again: save another one by the school's link",
}


def what_next(kind: DeclineClass) -> str:
    """What a student is told after a decline."""
    return _SAID[kind]
