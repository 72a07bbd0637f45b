"""Every SQL statement of payouts' worker, a file for each group of tables."""

from services.payouts.store import (
    adoption,
    balance,
    events,
    gauges,
    kept_webhooks,
    links,
    odd_objects,
    operations,
    payables,
    payees,
    payouts,
    relay_stop,
    rereads,
    reverts,
    transfers,
    withholding,
)

__all__ = [
    "adoption",
    "balance",
    "events",
    "gauges",
    "kept_webhooks",
    "links",
    "odd_objects",
    "operations",
    "payables",
    "payees",
    "payouts",
    "relay_stop",
    "rereads",
    "reverts",
    "transfers",
    "withholding",
]
