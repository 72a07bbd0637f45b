"""Sets the gauges of what waits in a service: rows, dead letters, locks (docs/operations/monitoring.md)."""

from typing import Final

from fleet import metrics
from fleet.database import Database

# Of this service's sessions, in all of its processes: a role sees its own.
_LOCK_WAIT: Final = """
    SELECT coalesce(max(extract(epoch FROM clock_timestamp() - waitstart)), 0)::float8 AS wait_s
    FROM pg_locks JOIN pg_stat_activity AS session ON session.pid = pg_locks.pid
    WHERE NOT granted AND usename = current_user AND datname = current_database()
"""
# Who locks the outbox must not keep the gauges from moving.
_WAIT_BRIEFLY: Final = "SET LOCAL lock_timeout = '2s'"
_OUTBOX_STATE: Final = """
    SELECT count(*) AS rows, coalesce(extract(epoch FROM now() - min(staged_at)), 0)::float8 AS age_s
    FROM outbox
"""
_OPEN_LETTERS: Final = "SELECT count(*) AS open FROM dead_letter WHERE state = 'open'"


async def set_lock_wait(db: Database) -> None:
    """How long the service's sessions have waited for a lock, at most."""
    async with db.autocommit() as tx:
        longest = await tx.one(_LOCK_WAIT)
    metrics.LOCK_WAIT.labels(db.schema).set(longest.wait_s)


async def set_waiting(db: Database) -> None:
    """What waits in the outbox, and open dead letters. Raises when the tables are locked for long."""
    async with db.transaction() as tx:
        await tx.execute(_WAIT_BRIEFLY)
        waiting = await tx.one(_OUTBOX_STATE)
        dead = await tx.one(_OPEN_LETTERS)
    metrics.OUTBOX_ROWS.labels(db.schema).set(waiting.rows)
    metrics.OUTBOX_AGE.labels(db.schema).set(waiting.age_s)
    metrics.DEAD_LETTERS.labels(db.schema).set(dead.open)
