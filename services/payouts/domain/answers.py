"""What an answer from Stripe means, as one pure function: the answer table (docs/decisions/0021).

Errors are told apart by HTTP status and body, not by the stripe library's classes, which mislead
(409 `idempotency_key_in_use` is an APIError there, 429 `lock_timeout` a RateLimitError).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class StripeVerdict(StrEnum):
    """What an answer proves."""

    DONE = "done"  # the effect exists
    UNKNOWN = "unknown"  # it may or may not exist: same key again
    NOT_NOW = "not_now"  # it does not exist yet: same key again
    SLOW_DOWN = "slow_down"  # as NOT_NOW, and we call too often
    SERVER_ERROR = "server_error"  # unknown, and Stripe may replay this very answer: look up after a few
    INSUFFICIENT = (
        "insufficient"  # no effect; the refusal is replayed for a day: a new generation once covered
    )
    REFUSED = "refused"  # no effect, same replay; waits for a person or for the payee
    MISUSED = "misused"  # our bug: one key, two sets of parameters
    MISCONFIGURED = "misconfigured"  # our key: nothing may be sent until a person fixed it


_ADDRESS = re.compile(r"[^\s<>()\[\]\"',;:]+@[^\s<>()\[\]\"',;:]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class StripeAnswer:
    """One HTTP exchange. `status` None: no answer came (timeout, reset, unreadable).

    wrong_mode: it is not of our key's mode, or our key is not of the database's; it proves nothing.
    `limited_by`: which limit a 429 was, as `Stripe-Rate-Limited-Reason` names it.
    """

    status: int | None
    body: Mapping[str, Any] = field(default_factory=dict)
    request_id: str | None = None
    problem: str = ""
    wrong_mode: bool = False
    limited_by: str | None = None

    @property
    def error(self) -> Mapping[str, Any]:
        error = self.body.get("error")
        return error if isinstance(error, Mapping) else {}

    @property
    def code(self) -> str | None:
        """Stripe's `code`, else its `type`: what a person searches for."""
        named = self.error.get("code") or self.error.get("type")
        return named if isinstance(named, str) else None

    @property
    def refusal(self) -> str:
        """Why Stripe refused, as one word. An unknown destination counts as `account_invalid`."""
        if self.error.get("param") == "destination":
            return "account_invalid"
        return self.code or "refused"

    @property
    def sentence(self) -> str:
        """Stripe's sentence, without the e-mail addresses that it may quote: it is shown, told and kept."""
        said = str(self.error.get("message") or self.problem or f"Stripe answered {self.status}")
        return _ADDRESS.sub("(an address)", said)[:1000]


# A 403 with this code refuses one payee's account; any other refuses our key.
_ACCOUNT_OUT_OF_REACH = frozenset({"account_invalid"})
INSUFFICIENT = frozenset({"balance_insufficient", "insufficient_funds"})


def classify(answer: StripeAnswer) -> StripeVerdict:
    """Read the answer table. Whatever it does not list is `UNKNOWN`, so that nothing is taken for proven."""
    if answer.wrong_mode:
        return StripeVerdict.MISCONFIGURED
    match answer.status:
        case None:
            return StripeVerdict.UNKNOWN
        case status if 200 <= status < 300:
            return StripeVerdict.DONE if _has_id(answer.body) else StripeVerdict.UNKNOWN
        case 401:
            return StripeVerdict.MISCONFIGURED
        case 403:
            return (
                StripeVerdict.REFUSED if answer.code in _ACCOUNT_OUT_OF_REACH else StripeVerdict.MISCONFIGURED
            )
        case 409 | 503:
            return StripeVerdict.NOT_NOW
        case 429:
            return StripeVerdict.SLOW_DOWN
        case status if 400 <= status < 500:
            return _definitive(answer)
        case status if status >= 500:
            return StripeVerdict.SERVER_ERROR
        case _:
            return StripeVerdict.UNKNOWN


def _has_id(body: Mapping[str, Any]) -> bool:
    named = body.get("id")
    return isinstance(named, str) and bool(named)


def _definitive(answer: StripeAnswer) -> StripeVerdict:
    if not answer.error or answer.status == 408:
        return StripeVerdict.UNKNOWN  # not Stripe's error body: a proxy in between answered
    if answer.error.get("type") == "idempotency_error":
        return StripeVerdict.MISUSED
    if answer.code == "rate_limit":
        return StripeVerdict.SLOW_DOWN  # Stripe answered this with 400 in the past
    return StripeVerdict.INSUFFICIENT if answer.code in INSUFFICIENT else StripeVerdict.REFUSED


# Refusals that end when the payee's account is in order again.
ACCOUNT_REFUSALS = frozenset(
    {
        "account_closed",
        "account_invalid",
        "account_not_enabled",
        "account_number_invalid",
        "insufficient_capabilities_for_transfer",
        "no_account",
        "payouts_not_allowed",
        "transfers_not_allowed",
    }
)
