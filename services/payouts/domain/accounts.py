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


def account_request(policy: AccountPolicy, *, country: str) -> dict[str, Any]:
    """What is requested for a payee's account, without its metadata and without the payee's address."""
    agreement = agreement_of(country, policy.country)
    cards = not policy.recipient_alone and agreement is Agreement.FULL
    make = _v2_request if policy.api is AccountsApi.V2 else _v1_request
    return make(country, agreement, cards=cards)


def _v1_request(country: str, agreement: Agreement, *, cards: bool) -> dict[str, Any]:
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
    }


def _v2_request(country: str, agreement: Agreement, *, cards: bool) -> dict[str, Any]:
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
    }


def api_of(params: Mapping[str, Any]) -> AccountsApi:
    """Which API the parameters of an account's operation are for."""
    return AccountsApi(params.get(API, AccountsApi.V1))


def at_stripe(params: Mapping[str, Any], email: str | None) -> dict[str, Any]:
    """The parameters as Stripe is sent them, with the payee's address as it is known now.

    It is not frozen with them, because it must be erasable: a repeat with another address is refused as a
    misuse of its key, which proves that Stripe has the first request (decision 0314).
    """
    named = "contact_email" if api_of(params) is AccountsApi.V2 else "email"
    sent = {name: value for name, value in params.items() if name != API}
    return sent | ({named: email} if email else {})


def conflict(agreement: Agreement, *, instant: bool) -> str | None:
    """What the school's book asks for and the payee's agreement does not allow, None without such."""
    if agreement is Agreement.FULL or not instant:
        return None
    return (
        "the school's book asks for instant payouts, which Stripe does not make under the recipient "
        "agreement: this payee is paid by ordinary payouts, a day later than others; set instant_payout "
        "to false"
    )
