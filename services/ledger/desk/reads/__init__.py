"""What people may read in the books, from the published views (`ledger_public`) only. Nothing here writes."""

from services.ledger.desk.reads import (
    balances,
    by_hand,
    chain,
    holds,
    journals,
    monitors,
    openings,
    periods,
    recompute,
    statements,
)

__all__ = [
    "balances",
    "by_hand",
    "chain",
    "holds",
    "journals",
    "monitors",
    "openings",
    "periods",
    "recompute",
    "statements",
]
