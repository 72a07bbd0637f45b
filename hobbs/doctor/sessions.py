"""Examines who holds up the services: sessions that block theirs, and transactions that somebody forgot."""

from typing import Any

from asyncpg import PostgresError
from sqlalchemy import Row
from sqlalchemy.exc import DBAPIError

from fleet.database import Database
from hobbs.doctor.findings import Finding, ok, warning, wrong
from hobbs.shell.connections import why

BLOCKS_S = 5  # services wait for each other too, but never for so long
IDLE_S = 30

_IN_THE_WAY = """
    SELECT pid, role, application, state, since, blocked
    FROM ledger_public.sessions_in_the_way(:blocks_s, :idle_s)
"""


async def examine_sessions(database: Database) -> list[Finding]:
    """Name each session that holds up a service, and the statement that ends it."""
    try:
        async with database.autocommit() as tx:
            rows = await tx.all(_IN_THE_WAY, blocks_s=BLOCKS_S, idle_s=IDLE_S)
    except (DBAPIError, PostgresError) as error:
        fix = "run `hobbs migrate` as the database's owner, and log in as hobbs_operator"
        return [warning("sessions", f"who holds up the services cannot be asked: {why(error)}", fix)]
    return [_finding(row) for row in rows] or [ok("sessions", "no session holds up the services")]


def _finding(row: Row[Any]) -> Finding:
    if not row.pid:
        fix = "as the database's owner: SELECT gid FROM pg_prepared_xacts, then ROLLBACK PREPARED 'GID'"
        return wrong("sessions", f"a prepared transaction blocks {', '.join(row.blocked)}", fix)
    since = f"since {row.since:%Y-%m-%d %H:%M:%S} UTC" if row.since else "for an unknown time"
    does = f"blocks {', '.join(row.blocked)}" if row.blocked else "idles"
    session = (
        f"session {row.pid} of {row.role} ({row.application or 'no name'}), {row.state or 'state unknown'}"
    )
    fix = f"as the database's owner: SELECT pg_terminate_backend({row.pid}); what it did not commit is lost"
    return wrong("sessions", f"{session}, in its transaction {since}, {does}", fix)
