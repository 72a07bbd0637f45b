"""Charges of students' saved payment methods: what Stripe's payment intent says of one. Pure (decision 0351).

A charge is an operation: its parameters are frozen, its key is its own, and one that may have been made is
looked up before it is sent anew. That it is declined is an answer, and the end of it: trying again is
receivables' to decide, and another operation.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from fleet.cause import Cause
from fleet.money import format_minor
from fleet.stripe_amounts import sendable
from services.payouts.domain.open_pages import PAID_BY_PAGE
from services.payouts.domain.student_links import StudentLink

_WORD: Final = re.compile(r"[A-Za-z0-9_]{1,100}")
LAPSES_AFTER: Final = timedelta(hours=6)  # what was owed then may be paid otherwise since


class Outcome(StrEnum):
    """What a request to charge is answered. As schemas/charges.py has them."""

    SUCCEEDED = "succeeded"
    PROCESSING = "processing"
    DECLINED = "declined"
    NOT_MADE = "not_made"


@dataclass(frozen=True, slots=True, kw_only=True)
class ToCharge:
    """A request as it came. Amounts are minor units."""

    request_id: UUID
    wallet: str
    currency: str
    amount: int
    cause: str
    customer: str
    payment_method: str
    method_type: str
    decided_at: datetime
    trace: Cause


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What became of a request. code and advice: Stripe's, of a charge that was declined."""

    outcome: Outcome
    sentence: str
    at: datetime
    payment_intent: str | None = None
    charge: str | None = None
    code: str | None = None
    advice: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """A request with its answer, to be told."""

    asked: ToCharge
    answer: Answer


# Stripe's codes by which a bank asks for whoever holds the card: only they can let it pass.
_ASKS_FOR_ITS_HOLDER: Final = frozenset(
    {
        "authentication_not_handled",
        "authentication_required",
        "offline_pin_required",
        "online_or_offline_pin_required",
        "payment_intent_authentication_failure",
    }
)


def page_for(one: Answered) -> StudentLink | None:
    """The page by which a student lets a payment pass that their bank asks them about; None: it does not.

    It is named by the request, so that who tells the student finds it.
    """
    amount = sendable(one.asked.amount, one.asked.currency)
    if one.answer.code not in _ASKS_FOR_ITS_HOLDER or amount == 0:
        return None
    asked = one.asked
    return StudentLink(
        id=asked.request_id, wallet=asked.wallet, currency=asked.currency, amount=amount, customer=None
    )


TAKEN: Final = {"succeeded": Outcome.SUCCEEDED, "processing": Outcome.PROCESSING}
# No money is taken, and none will be without another request.
_ENDED: Final = ("requires_payment_method", "requires_action", "canceled")


def refusal_in(intent: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The error that a payment intent carries of a charge that was not made; None: it was, or is not decided.

    One that asks for its card's holder is refused: the holder is away.
    """
    status, error = intent.get("status"), intent.get("last_payment_error")
    if status not in _ENDED:
        return None
    if isinstance(error, Mapping):
        return error
    if status == "requires_action":
        return {"code": "authentication_required", "message": "the bank asks for the card's holder"}
    if status == "canceled":
        return {"code": "payment_intent_canceled", "message": "the payment was cancelled at Stripe"}
    return None


def is_undecided(intent: Mapping[str, Any]) -> bool:
    """Whether nobody can tell from a payment intent yet what became of its charge."""
    return intent.get("status") not in TAKEN and refusal_in(intent) is None


def taken(intent: Mapping[str, Any], amount: int, currency: str, at: datetime) -> Answer:
    """The answer to a charge that was made, or that a bank is about to make. at: when it was."""
    outcome = TAKEN[str(intent.get("status"))]
    money = f"{format_minor(amount, currency)} {currency}"
    charge = intent.get("latest_charge")
    made = outcome is Outcome.SUCCEEDED
    return Answer(
        outcome=outcome,
        sentence=f"{money} was charged" if made else f"{money} is being debited; the bank answers in days",
        at=at,
        payment_intent=_word(intent.get("id")),
        charge=_word(charge.get("id") if isinstance(charge, Mapping) else charge),
    )


def declined(error: Mapping[str, Any], sentence: str, at: datetime, amount: int, currency: str) -> Answer:
    """The answer to a charge that Stripe refused with an error. sentence: Stripe's, without addresses.

    One that is not sent because of a page (open_pages.py) was not made.
    """
    if error.get("code") == PAID_BY_PAGE:
        return Answer(outcome=Outcome.NOT_MADE, sentence=sentence, at=at)
    intent = error.get("payment_intent")
    return Answer(
        outcome=Outcome.DECLINED,
        sentence=f"{format_minor(amount, currency)} {currency} could not be charged: {sentence}"[:1000],
        at=at,
        payment_intent=_word(intent.get("id")) if isinstance(intent, Mapping) else None,
        charge=_word(error.get("charge")),
        code=_word(error.get("decline_code")) or _word(error.get("code")) or _word(error.get("type")),
        advice=_word(error.get("advice_code")),
    )


def _word(value: object) -> str | None:
    """A code or an id of Stripe's, None when it is something else: it goes into a topic that is kept."""
    return value if isinstance(value, str) and _WORD.fullmatch(value) else None
