"""Looks at the console: who may sign in how, and whether what people decide there is answered."""

from typing import Final

from asyncpg import PostgresError
from sqlalchemy.exc import DBAPIError

from fleet.settings import Settings
from hobbs.doctor.findings import Finding, ok, warning, wrong
from hobbs.shell.connections import acting_as
from schemas.services import CONSOLE

PATIENCE_S: Final = 60.0
_LOOK: Final = """
    SELECT (SELECT count(*) FROM session WHERE ended_at IS NULL AND ends_at > now()) AS sessions,
           (SELECT count(*) FROM session
            WHERE came_by = 'local' AND ended_at IS NULL AND ends_at > now()
              AND EXISTS (SELECT FROM payouts_public.stripe_mode WHERE livemode OR key_livemode)
           ) AS refused_now,
           (SELECT count(*) FROM question WHERE answered_at IS NULL) AS questions,
           waiting.number, waiting.oldest_s
    FROM (SELECT count(*) AS number,
                 coalesce(extract(epoch FROM now() - min(act.decided_at)), 0)::float AS oldest_s
          FROM act LEFT JOIN decision AS done ON done.decision_id = act.decision_id
          WHERE act.decided_at IS NOT NULL AND done.outcome IS NULL) AS waiting
"""


async def examine_console(settings: Settings) -> list[Finding]:
    """Say how many sessions live, and what nobody answered."""
    async with acting_as(settings, CONSOLE) as database:
        try:
            async with database.transaction() as tx:
                row = await tx.one(_LOOK)
        except (DBAPIError, PostgresError):
            return []  # no right or no table: what examines PostgreSQL says it, with its fix
    if row.refused_now:
        return [
            wrong(
                CONSOLE,
                f"{row.refused_now} sessions of the local sign-in, and payouts has a live key",
                "they show nothing; set HOBBS_CONSOLE_LOGIN=oidc and start the console again",
            )
        ]
    if row.oldest_s > PATIENCE_S:
        return [
            warning(
                CONSOLE,
                f"{row.number} decisions of people are not answered, the oldest for {row.oldest_s:.0f} s",
                "docs/operations/console.md, A decision is not answered",
            )
        ]
    said = f"{row.sessions} sessions, every decision is answered, {row.questions} questions wait"
    return [ok(CONSOLE, said)]
