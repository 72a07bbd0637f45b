"""Stripe's endpoints that this service calls, named as in fleet/stripe_limits.py, and for what."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from services.payouts.domain.operations import Kind, Phase


class Endpoint(StrEnum):
    SEND_TRANSFER = "POST /v1/transfers"
    SEND_REVERSAL = "POST /v1/transfers/{id}/reversals"
    SEND_REFUND = "POST /v1/refunds"
    SEND_CHARGE = "POST /v1/payment_intents"
    SEND_PAYOUT = "POST /v1/payouts"
    MAKE_ACCOUNT = "POST /v1/accounts"  # and POST /v2/core/accounts, which shares its limit
    MAKE_CUSTOMER = "POST /v1/customers"
    CUSTOMER = "GET /v1/customers/{id}"
    MARK_CUSTOMER = "POST /v1/customers/{id}"
    CHECKOUT = "POST /v1/checkout/sessions"
    CHECKOUT_PAGES = "GET /v1/checkout/sessions"
    CLOSE_CHECKOUT = "POST /v1/checkout/sessions/{id}/expire"
    ONBOARDING_LINK = "POST /v1/account_links"
    DASHBOARD_LINK = "POST /v1/accounts/{id}/login_links"
    ACCOUNT = "GET /v1/accounts/{id}"
    ACCOUNTS = "GET /v1/accounts"
    V2_ACCOUNTS = "GET /v2/core/accounts"
    BALANCE = "GET /v1/balance"
    BALANCE_ROWS = "GET /v1/balance_transactions"
    CHARGE = "GET /v1/charges/{id}"
    EVENTS = "GET /v1/events"
    CHARGES_MADE = "GET /v1/payment_intents"
    PAYOUT = "GET /v1/payouts/{id}"
    PAYOUTS = "GET /v1/payouts"
    REFUNDS = "GET /v1/refunds"
    REVERSALS = "GET /v1/transfers/{id}/reversals"
    TRANSFERS = "GET /v1/transfers"


_SENT_TO: Final[Mapping[Kind, Endpoint]] = {
    Kind.TRANSFER: Endpoint.SEND_TRANSFER,
    Kind.REVERSAL: Endpoint.SEND_REVERSAL,
    Kind.INSTANT_PAYOUT: Endpoint.SEND_PAYOUT,
    Kind.REFUND: Endpoint.SEND_REFUND,
    Kind.CHARGE: Endpoint.SEND_CHARGE,
    Kind.ACCOUNT: Endpoint.MAKE_ACCOUNT,
}
_LOOKED_UP_AT: Final[Mapping[Kind, Endpoint]] = {
    Kind.TRANSFER: Endpoint.TRANSFERS,
    Kind.REVERSAL: Endpoint.REVERSALS,
    Kind.INSTANT_PAYOUT: Endpoint.PAYOUTS,
    Kind.REFUND: Endpoint.REFUNDS,
    Kind.CHARGE: Endpoint.CHARGES_MADE,
    Kind.ACCOUNT: Endpoint.ACCOUNTS,
}


def endpoint_for(kind: Kind, phase: Phase) -> Endpoint:
    """Where an operation is sent to, or looked up."""
    return (_LOOKED_UP_AT if phase is Phase.LOOK_UP else _SENT_TO)[kind]
