"""Payees' accounts at Stripe: which API makes one, with what, and under which service agreement. Pure.

Stripe closed `POST /v1/accounts` to new platforms; `POST /v2/core/accounts` is the way for all (decision
0190). Which API was asked is part of an operation's frozen parameters: without the name `api` it is v1, as
before this was decided.

An account that only receives transfers needs Stripe's approval of the platform; without it the account also
has card_payments, which nothing uses (docs.stripe.com/connect/account-capabilities;
github.com/stripe/openapi/issues/199). A payee abroad, outside the region in which Stripe moves money
freely, is under the recipient agreement: no card_payments, no instant payouts, and transfers take 24 hours
more (docs.stripe.com/connect/service-agreement-types).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from services.payouts.domain.answers import StripeAnswer

API: Final = "api"  # in an operation's parameters; Stripe is not sent it


class AccountsApi(StrEnum):
    V1 = "v1"
    V2 = "v2"


class Agreement(StrEnum):
    FULL = "full"
    RECIPIENT = "recipient"


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountPolicy:
    """How accounts are made. `country`: the platform's; `recipient_alone`: Stripe approved that."""

    api: AccountsApi
    country: str
    recipient_alone: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreementCard:
    """What decides about a payee's agreement: the card in force, and what is written of it."""

    wallet: str
    country: str
    instant: bool
    agreement: Agreement
    has_account: bool


_EEA: Final = (
    "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IS IT LI LT LU LV MT NL NO PL PT RO SE SI SK"  # with the EU
)
# docs.stripe.com/connect/cross-border-payouts: among these, transfers need no recipient agreement.
_REGION: Final = frozenset({"US", "CA", "GB", "CH", *_EEA.split()})


def agreement_of(country: str, platform: str) -> Agreement:
    """The service agreement of a payee in a country, for a platform in another or the same."""
    free = country == platform or {country, platform} <= _REGION
    return Agreement.FULL if free else Agreement.RECIPIENT


def account_request(policy: AccountPolicy, *, country: str, email: str | None) -> dict[str, Any]:
    """What is requested for a payee's account, without its metadata."""
    agreement = agreement_of(country, policy.country)
    cards = not policy.recipient_alone and agreement is Agreement.FULL
    make = _v2_request if policy.api is AccountsApi.V2 else _v1_request
    return make(country, email, agreement, cards=cards)


def _v1_request(country: str, email: str | None, agreement: Agreement, *, cards: bool) -> dict[str, Any]:
    wanted = {"requested": True}
    return {
        "type": "express",
        "country": country,
        "capabilities": {"transfers": wanted, **({"card_payments": wanted} if cards else {})},
        **(
            {"tos_acceptance": {"service_agreement": str(agreement)}}
            if agreement is Agreement.RECIPIENT
            else {}
        ),
        **({"email": email} if email else {}),
    }


def _v2_request(country: str, email: str | None, agreement: Agreement, *, cards: bool) -> dict[str, Any]:
    """API v2 has no parameter for the agreement: Stripe decides, and may refuse the country."""
    wanted = {"requested": True}
    merchant = {"merchant": {"capabilities": {"card_payments": wanted}}} if cards else {}
    return {
        API: str(AccountsApi.V2),
        "identity": {"country": country.lower()},
        "dashboard": "express",
        "configuration": {
            "recipient": {"capabilities": {"stripe_balance": {"stripe_transfers": wanted}}},
            **merchant,
        },
        "defaults": {
            "responsibilities": {"fees_collector": "application", "losses_collector": "application"}
        },
        **({"contact_email": email} if email else {}),
    }


def api_of(params: Mapping[str, Any]) -> AccountsApi:
    """Which API the parameters of an account's operation are for."""
    return AccountsApi(params.get(API, AccountsApi.V1))


def at_stripe(params: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters as Stripe is sent them."""
    return {name: value for name, value in params.items() if name != API}


_APPROVAL: Final = (
    "unset HOBBS_STRIPE_RECIPIENT_ALONE, or have Stripe's support approve transfers without card_payments"
)
# What ends a refusal: a part of Stripe's code or sentence, and what a person does about it.
_WAYS_OUT: Final = (
    (
        "/v2/core/accounts",
        "set HOBBS_STRIPE_ACCOUNTS=v2, which is the default, or switch Accounts v1 support on in Stripe's "
        "dashboard",
    ),
    (
        "capability_not_available_without_other_capability",
        _APPROVAL,
    ),
    (
        "without the `card_payments` capability",
        _APPROVAL,
    ),
    (
        "capability_not_available_in_country",
        "Stripe's API v2 makes no account in this country: pay this payee another way, or adopt an account "
        "that was made in Stripe's dashboard (`hobbs transfers payees adopt`)",
    ),
    (
        "permission",  # of a restricted key, 403; the wording is from memory
        "give the restricted key write access to Connect accounts, v1 and v2, in Stripe's dashboard",
    ),
    (
        "connect_profile_not_submitted",
        "complete the platform's profile in Stripe's dashboard, under Connect",
    ),
    (
        "account_creation_liability_unacknowledged",
        "acknowledge the liability for losses in Stripe's dashboard, under Connect",
    ),
)


def way_out(answer: StripeAnswer) -> str | None:
    """What a person does about an account that Stripe refused to make; None when nothing is known."""
    return way_out_of(answer.code, answer.sentence)


def way_out_of(code: str | None, sentence: str | None) -> str | None:
    """The same for a refusal's code and sentence as they were kept."""
    said = f"{code} {sentence}".lower()
    return next((way for part, way in _WAYS_OUT if part.lower() in said), None)


def conflict(agreement: Agreement, *, instant: bool) -> str | None:
    """What the school's book asks for and the payee's agreement does not allow, None without such."""
    if agreement is Agreement.FULL or not instant:
        return None
    return (
        "the school's book asks for instant payouts, which Stripe does not make under the recipient "
        "agreement: this payee is paid by ordinary payouts, a day later than others; set instant_payout "
        "to false"
    )
