"""What Stripe refuses: whose cause it is, what a person does about it, and when it is asked again. Pure.

Stripe replays a refusal for a day under the same idempotency key. So asking again is always a new generation,
or for an account a new operation, and the first time is a day later.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from services.payouts.domain.answers import ACCOUNT_REFUSALS, INSUFFICIENT
from services.payouts.domain.operations import Kind, State

OUTCOME_UNKNOWN: Final = "outcome_unknown"  # parked because its lookups failed: asking again only reads

_GAPS: Final[tuple[timedelta, ...]] = (timedelta(days=1), timedelta(days=2))
_LOOKUP_GAPS: Final[tuple[timedelta, ...]] = (timedelta(hours=1), *_GAPS)
_LATER: Final = timedelta(days=7)
TRIES_MAX: Final = 12  # by the clock: ten weeks; then only an event or a person asks again


class Whose(StrEnum):
    """Who can remove the cause of a refusal."""

    PLATFORM = "platform"  # the school at Stripe: it ends for all payees at once
    PAYEE = "payee"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """Whose cause a refusal has, and what to do, as an imperative clause."""

    whose: Whose
    todo: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """Refusals told apart by Stripe's code, or by words of its sentence: many have no code of their own."""

    advice: Advice
    codes: frozenset[str] = frozenset()
    words: tuple[str, ...] = ()
    kinds: frozenset[Kind] = frozenset(Kind)


def _platform(todo: str, *words: str, codes: frozenset[str] = frozenset()) -> _Known:
    return _Known(advice=Advice(whose=Whose.PLATFORM, todo=todo), codes=codes, words=words)


def _payee(
    todo: str, *words: str, codes: frozenset[str] = frozenset(), kinds: frozenset[Kind] = frozenset(Kind)
) -> _Known:
    return _Known(advice=Advice(whose=Whose.PAYEE, todo=todo), codes=codes, words=words, kinds=kinds)


# The sentences and codes are quoted in many public repositories of 2026; codes also at
# docs.stripe.com/error-codes. docs/operations/transfers.md says of each what to do, at more length.
_KNOWN: Final = (
    _platform(
        "sign the school's Stripe account up for Connect (dashboard.stripe.com/connect)",
        "signed up for connect",
    ),
    _platform(
        "complete the platform profile in Stripe's dashboard (Settings, Connect, Platform profile)",
        "responsibilities of managing losses",
        "platform-profile",
        "platform profile",
        codes=frozenset(
            {
                "account_creation_liability_unacknowledged",
                "account_creation_requirement_collection_unacknowledged",
                "account_creation_requirement_collection_and_liability_unacknowledged",
                "connect_identity_not_verified",
                "connect_profile_not_submitted",
            }
        ),
    ),
    _platform(
        "set HOBBS_STRIPE_ACCOUNTS=v2, which is the default, or switch Accounts v1 support on in Stripe's "
        "dashboard (Settings, Features)",
        "/v2/core/accounts",
        "accounts v1",
        "accounts_v1_support",
    ),
    _platform(
        "set HOBBS_STRIPE_RECIPIENT_ALONE=false, so that card_payments is requested beside transfers, or ask "
        "Stripe to approve the platform for accounts that only receive transfers",
        "without requesting `card_payments`",
        "without the `card_payments` capability",
        "without also requesting",
        codes=frozenset(
            {
                "capability_not_available_without_other_capability",
                "capability_not_available_without_other_capability_in_country",
            }
        ),
    ),
    _platform(
        "give the restricted key write access to Connect accounts, v1 and v2, in Stripe's dashboard",
        "required permissions",
        codes=frozenset({"more_permissions_required"}),
    ),
    _payee(
        "pay this payee another way, or adopt an account that was made in Stripe's dashboard "
        "(`hobbs transfers payees adopt`): API v2 makes none in this country",
        codes=frozenset({"capability_not_available_in_country"}),
        kinds=frozenset({Kind.ACCOUNT}),
    ),
    _payee(
        "correct the payee's country in the school's book, or pay another way",
        "not supported in your country",
        "cannot be created by platforms in",
        "is not currently supported by stripe",
        codes=frozenset({"country_code_invalid", "country_unsupported"}),
        kinds=frozenset({Kind.ACCOUNT}),
    ),
    _payee(
        "correct the payee's e-mail address in the school's book",
        codes=frozenset({"email_invalid"}),
        kinds=frozenset({Kind.ACCOUNT}),
    ),
    _payee(
        "nothing has to be done: the ordinary payout brings the money; for the next one, let the payee add a "
        "bank account or debit card that takes instant payouts, or switch instant_payout off in the book",
        "instant payout",
        codes=frozenset(
            {
                "instant_payouts_config_disabled",
                "instant_payouts_currency_disabled",
                "instant_payouts_limit_exceeded",
                "instant_payouts_unsupported",
                "payouts_not_allowed",
            }
        ),
        kinds=frozenset({Kind.INSTANT_PAYOUT}),
    ),
    _payee(
        "nothing has to be done: the ordinary payout brings the money, or has brought it",
        codes=INSUFFICIENT,
        kinds=frozenset({Kind.INSTANT_PAYOUT}),
    ),
    _payee(
        "wait until the payee's Stripe balance covers it, or take it off what is earned next and close it",
        codes=INSUFFICIENT,
        kinds=frozenset({Kind.REVERSAL}),
    ),
    _payee(
        "let the payee put its Stripe account in order (`hobbs transfers payees link`); it is sent by itself "
        "when Stripe enables the account",
        codes=ACCOUNT_REFUSALS,
        kinds=frozenset({Kind.TRANSFER, Kind.INSTANT_PAYOUT, Kind.REVERSAL}),
    ),
)
_UNKNOWN: Final = Advice(
    whose=Whose.UNKNOWN,
    todo="look the request up in Stripe's dashboard (Developers, Logs), remove its cause",
)
_PARKED: Final[Mapping[str, str]] = {
    OUTCOME_UNKNOWN: "look at Stripe's status page; it is looked up again by itself, at once with "
    "`hobbs transfers payees unpark`",
}
_PARKED_OTHERWISE: Final = "look for it in Stripe's dashboard, then decide: `hobbs transfers payees unpark`"


def advice(kind: Kind, reason: str, sentence: str) -> Advice:
    """What is known of a refusal. reason: Stripe's code, else its type; sentence: Stripe's."""
    said = sentence.lower()
    for known in _KNOWN:
        if kind in known.kinds and (reason in known.codes or any(words in said for words in known.words)):
            return known.advice
    return _UNKNOWN


def todo(kind: Kind, state: State, reason: str, sentence: str) -> str:
    """What a person does about an operation that Stripe refused, or that is parked."""
    if state is State.PARKED:
        return _PARKED.get(reason, _PARKED_OTHERWISE)
    return advice(kind, reason, sentence).todo


_NAMES_SOMETHING: Final = re.compile(r"\S*(?:_|\d|\*{3})\S*")


def told_as(kind: Kind, state: State, reason: str, sentence: str) -> str:
    """Name the cause of an ending, of which people are told once. Ids in a sentence make no other cause."""
    return f"{kind} {state} {reason}: {_NAMES_SOMETHING.sub('…', sentence)}"


def next_try(kind: Kind, state: State, reason: str, tries: int, now: datetime) -> datetime | None:
    """When a stopped operation is tried again by the clock, None: never. tries: how often it was before.

    A reversal that another cause than a short balance refused waits for a person: what it was to take back
    may have been taken otherwise. So does whatever is parked, but for failed lookups: looking moves nothing.
    """
    if state is State.PARKED:
        gaps = _LOOKUP_GAPS if reason == OUTCOME_UNKNOWN else None
    else:
        gaps = _GAPS if kind is not Kind.REVERSAL or reason in INSUFFICIENT else None
    if gaps is None or tries >= TRIES_MAX:
        return None
    return now + (gaps[tries] if tries < len(gaps) else _LATER)
