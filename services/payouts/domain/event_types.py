"""Stripe's event types, by what payouts does with them. Pure."""

from typing import Final

# The types that nothing but a webhook tells; Stripe lists at most 20 types. Other objects are read again
# regularly, and each event of a type that the endpoint is not subscribed to would look lost.
# charge.refund.updated is left out: refund.updated tells the same.
LISTED_TYPES: Final = (
    "charge.captured",
    "charge.dispute.closed",
    "charge.dispute.created",
    "charge.dispute.funds_reinstated",
    "charge.dispute.funds_withdrawn",
    "charge.dispute.updated",
    "charge.failed",
    "charge.refunded",
    "charge.succeeded",
    "charge.updated",
    "payment_intent.payment_failed",
    "payment_intent.succeeded",
    "payment_method.attached",
    "payment_method.detached",
    "payout.created",
    "refund.created",
    "refund.failed",
    "refund.updated",
    "setup_intent.succeeded",
    "transfer.reversed",
)

ACCOUNT_SNAPSHOTS = frozenset(
    {
        "account.updated",
        "account.application.authorized",
        "account.application.deauthorized",
        "account.external_account.created",
        "account.external_account.updated",
        "account.external_account.deleted",
        "capability.updated",
        "person.created",
        "person.updated",
    }
)
# Thin events of accounts that API v2 made; their types have no other beginning, and more of them may come.
V2_ACCOUNT_EVENTS: Final = ("v2.core.account",)
# Those that an event destination is asked for: docs/operations/stripe.md.
V2_SUBSCRIBED: Final = (
    "v2.core.account.closed",
    "v2.core.account.updated",
    "v2.core.account[configuration.recipient].capability_status_updated",
    "v2.core.account[configuration.recipient].updated",
    "v2.core.account[identity].updated",
    "v2.core.account[requirements].updated",
)
# As thin events these types begin with `v1.`; the account is read again either way.
ACCOUNT_EVENTS = ACCOUNT_SNAPSHOTS | {f"v1.{event_type}" for event_type in ACCOUNT_SNAPSHOTS}
PAYOUT_EVENTS = frozenset(
    {"payout.created", "payout.updated", "payout.paid", "payout.failed", "payout.canceled"}
)
REVERSAL_EVENTS = frozenset({"transfer.updated", "transfer.reversed"})
CHARGE_EVENTS = frozenset({"charge.succeeded", "charge.updated", "charge.captured", "charge.failed"})
MONEY_EVENTS = CHARGE_EVENTS | {
    "payment_intent.succeeded",
    "balance.available",
    "topup.succeeded",
    "transfer.reversed",
}
# Of the platform's own account: after these the reserve is judged by another balance.
MOVES_THE_BALANCE = MONEY_EVENTS | {
    "charge.dispute.closed",
    "charge.dispute.created",
    "charge.dispute.funds_reinstated",
    "charge.dispute.funds_withdrawn",
    "charge.refunded",
    "payout.canceled",
    "payout.created",
    "payout.failed",
    "refund.created",
    "refund.failed",
    "topup.reversed",
}
LEGACY_EVENTS = frozenset({"transfer.paid", "transfer.failed"})
# Receivables acts on what concerns students' money.
OTHERS_ACT_ON = (
    "payment_intent.",
    "charge.",
    "refund.",
    "customer.",
    "setup_intent.",
    "payment_method.",
    "checkout.",
)
# payment.created is our own transfer, as the payee's account receives it.
NOTHING_NEW = frozenset(
    {
        "balance.available",
        "payment.created",
        "payout.reconciliation_completed",
        "topup.created",
        "topup.succeeded",
    }
)
# A payment intent proves a charge once it says that the money is taken, or on its way.
PROVING = (
    frozenset({"transfer.created", "account.updated", "refund.created"})
    | frozenset({"payment_intent.succeeded", "payment_intent.processing"})
    | PAYOUT_EVENTS
)
