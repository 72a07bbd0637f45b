"""Stripe's event types of which receivables makes nothing: known ones, and those of other services."""

from typing import Final

NOTHING_TO_DO: Final = frozenset(
    {
        "charge.expired",
        "checkout.session.async_payment_failed",
        "checkout.session.async_payment_succeeded",
        "checkout.session.completed",
        "checkout.session.expired",
        "customer.created",
        "customer.deleted",
        "customer.updated",
        "setup_intent.canceled",
        "setup_intent.created",
        "setup_intent.requires_action",
        "setup_intent.setup_failed",
        "charge.pending",
        "payment_intent.amount_capturable_updated",
        "payment_intent.canceled",
        "payment_intent.created",
        "payment_intent.processing",
        "payment_intent.requires_action",
    }
)
ELSEWHERE: Final = (
    *("account.", "balance.", "capability.", "payout.", "person.", "topup.", "transfer."),
    *("v1.account.", "v1.capability.", "v1.person.", "v2.core.account"),  # thin events of accounts
)
