"""SQL of the gauges: how many transfers and operations stand where, and how long the oldest waits."""

from datetime import timedelta

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


_STOPPED = """
    SELECT kind, state, count(*) AS n FROM payouts_public.stopped_operations GROUP BY kind, state
"""


async def stopped_by_kind_and_state(tx: Tx) -> dict[tuple[str, str], int]:
    """Kind and state -> number of refused or parked operations that nobody dealt with."""
    return {(row.kind, row.state): row.n for row in await tx.all(_STOPPED)}


_OLDEST_DUE = """
    SELECT coalesce(now() - min(due_at), interval '0') AS age
    FROM operation WHERE state = 'due' AND due_at <= now()
"""


async def oldest_due_age(tx: Tx) -> timedelta:
    """How long the oldest due operation has waited; zero when none is due."""
    age: timedelta = (await tx.one(_OLDEST_DUE)).age
    return age


_LISTING_AGE = "SELECT greatest(now() - completed_at, interval '0') AS age FROM event_listing"


async def listing_age(tx: Tx) -> timedelta:
    """How long ago Stripe's events were last listed to the end."""
    age: timedelta = (await tx.one(_LISTING_AGE)).age
    return age
