"""Looks at the rows of the school's Stripe balance: whether they are listed, and in the books."""

from datetime import UTC, datetime, timedelta
from typing import Final

from asyncpg import PostgresError
from sqlalchemy.exc import DBAPIError

from fleet.settings import Settings
from hobbs.doctor.findings import Finding, ok, warning
from hobbs.shell.connections import acting_as
from services.payouts.desk import reads

SHOWN_MAX: Final = 100
LISTED_WITHIN: Final = timedelta(hours=3)
_LOOK: Final = "hobbs transfers movements list, then docs/operations/stripe.md"


async def examine_movements(settings: Settings) -> list[Finding]:
    """Say what is not explained or not listed; nothing before payouts listed for the first time."""
    async with acting_as(settings, "payouts") as database:
        try:
            async with database.transaction() as tx:
                listing = await reads.movement_listing(tx)
                rows = await reads.list_movements(tx, every=False, closed=False, most=SHOWN_MAX)
        except (DBAPIError, PostgresError):
            return []  # no right or no table: what examines PostgreSQL says it, with its fix
    if listing["opened_at"] is None:
        return []
    if rows:
        many = f"{len(rows)}{' or more' if len(rows) == SHOWN_MAX else ''}"
        return [warning("stripe", f"{many} movements of the balance are not explained by the books", _LOOK)]
    age = datetime.now(UTC) - listing["completed_at"]
    if age > LISTED_WITHIN:
        found = f"the movements of the balance were not listed for {age // timedelta(hours=1)} hours"
        return [warning("stripe", found, "look at the log of payouts; docs/operations/stripe.md")]
    return [ok("stripe", "the books have every movement of the balance that was listed")]
