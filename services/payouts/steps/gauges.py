"""Measure where money stands: gauges read from the tables, so any process may say them."""

from itertools import product

from fleet.database import Database
from services.payouts import metrics, store
from services.payouts.domain.operations import Kind, State
from services.payouts.domain.transfers import Hold, TransferState

_STATES = "SELECT state, count(*) AS n FROM transfer GROUP BY state"
_HELD = "SELECT reason, count(*) AS n FROM transfer WHERE state = 'held' GROUP BY reason"
_OPERATIONS = "SELECT kind, state, count(*) AS n FROM operation GROUP BY kind, state"
_OLDEST = """
    SELECT coalesce(extract(epoch FROM now() - min(due_at)), 0)::float8 AS age_s
    FROM operation WHERE state = 'due' AND due_at <= now()
"""


async def measure(db: Database) -> int:
    """Set the gauges; 0, so that the loop rests."""
    async with db.transaction() as tx:
        states = {row.state: row.n for row in await tx.all(_STATES)}
        held = {row.reason: row.n for row in await tx.all(_HELD)}
        operations = {(row.kind, row.state): row.n for row in await tx.all(_OPERATIONS)}
        oldest = await tx.one(_OLDEST)
        listing_age_s = await store.events.listing_age_s(tx)
    for state in TransferState:
        metrics.STATES.labels(state).set(states.get(state, 0))
    for reason in Hold:
        metrics.HELD.labels(reason).set(held.get(reason, 0))
    for place in product(Kind, State):
        metrics.OPERATIONS.labels(*place).set(operations.get(place, 0))
    metrics.OLDEST_DUE.set(oldest.age_s)
    metrics.LISTING_AGE.set(listing_age_s)
    return 0
