"""SQL of the gauges: how many transfers and operations stand where, and how long the oldest waits."""

from fleet.database import Tx

_TRANSFERS = "SELECT state, count(*) AS n FROM transfer GROUP BY state"


async def transfers_by_state(tx: Tx) -> dict[str, int]:
    """State -> number of transfers; states that none is in are missing."""
    return {row.state: row.n for row in await tx.all(_TRANSFERS)}


_HELD = "SELECT reason, count(*) AS n FROM transfer WHERE state = 'held' GROUP BY reason"


async def held_by_reason(tx: Tx) -> dict[str, int]:
    """Reason -> number of held transfers; reasons that none has are missing."""
    return {row.reason: row.n for row in await tx.all(_HELD)}


_OPERATIONS = "SELECT kind, state, count(*) AS n FROM operation GROUP BY kind, state"


async def operations_by_kind_and_state(tx: Tx) -> dict[tuple[str, str], int]:
    """Kind and state -> number of operations."""
    return {(row.kind, row.state): row.n for row in await tx.all(_OPERATIONS)}


_OLDEST_DUE = """
    SELECT coalesce(extract(epoch FROM now() - min(due_at)), 0)::float8 AS age_s
    FROM operation WHERE state = 'due' AND due_at <= now()
"""


async def oldest_due_age_s(tx: Tx) -> float:
    """Seconds for which the oldest due operation has waited; 0 when none is due."""
    return float((await tx.one(_OLDEST_DUE)).age_s)


_LISTING_AGE = """
    SELECT extract(epoch FROM now() - completed_at)::float8 AS age_s FROM event_listing
"""


async def listing_age_s(tx: Tx) -> float:
    """Seconds since Stripe's events were last listed to the end."""
    return float(max((await tx.one(_LISTING_AGE)).age_s, 0))
