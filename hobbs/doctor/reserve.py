"""Looks at the school's reserve at Stripe: whether it keeps one, and how it stands."""

from datetime import UTC, datetime
from typing import Final

from asyncpg import PostgresError
from sqlalchemy.exc import DBAPIError

from fleet.settings import Settings
from hobbs.doctor.findings import Finding, ok, warning
from hobbs.shell.connections import acting_as
from services.reserves.desk import reads
from services.reserves.domain.health import HEALTHY

_LOOK: Final = "hobbs reserve --explain, then docs/operations/reserve.md"


async def examine_reserve(settings: Settings) -> list[Finding]:
    """Say that there is no gate, or how the reserve stands unless it is healthy."""
    async with acting_as(settings, "reserves") as database:
        try:
            async with database.transaction() as tx:
                rows = await reads.reserve.stands(tx, datetime.now(UTC))
        except (DBAPIError, PostgresError):
            return []  # no right or no table: what examines PostgreSQL says it, with its fix
    if not rows:
        return [
            ok("stripe", "the school keeps no reserve at Stripe: nothing holds transfers back ([[reserve]])")
        ]
    return [
        ok("stripe", f"the reserve is healthy: {row['sentence']}")
        if row["health"] == HEALTHY
        else warning("stripe", f"the reserve is {row['health']}: {row['sentence']}", _LOOK)
        for row in rows
    ]
