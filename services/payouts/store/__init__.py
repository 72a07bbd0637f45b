"""Every SQL statement of payouts' worker, a file for each group of tables."""

from services.payouts.store import (
    balance,
    events,
    gauges,
    kept_webhooks,
    links,
    odd_objects,
    operations,
    payees,
    payouts,
    relay_stop,
    rereads,
    transfers,
)

__all__ = [
    "balance",
    "events",
    "gauges",
    "kept_webhooks",
    "links",
    "odd_objects",
    "operations",
    "payees",
    "payouts",
    "relay_stop",
    "rereads",
    "transfers",
]
