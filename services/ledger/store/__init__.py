"""Every SQL statement of the ledger's worker, a file for each group of tables.

The functions they call are in the migrations. The service may insert journals and entries and nothing else:
wallets and balances move inside the database.
"""

from services.ledger.store import (
    balances,
    by_hand,
    chain,
    constraints,
    groups,
    holds,
    journals,
    logins_seen,
    monitors,
    openings,
    periods,
    reverts,
)

__all__ = [
    "balances",
    "by_hand",
    "chain",
    "constraints",
    "groups",
    "holds",
    "journals",
    "logins_seen",
    "monitors",
    "openings",
    "periods",
    "reverts",
]
