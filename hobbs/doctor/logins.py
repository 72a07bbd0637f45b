"""Examines whether people log in to the database as themselves, so that their decisions have proven names."""

from typing import Final

from fleet.database import Database
from fleet.grants import OPERATOR
from fleet.settings import Settings
from fleet.vouches import people
from hobbs.doctor.findings import Finding, wrong

AREA: Final = "logins"
PAGE: Final = "docs/operations/logins.md"
_SHARED: Final = "SELECT rolcanlogin FROM pg_roles WHERE rolname = :role"


async def examine_logins(settings: Settings) -> list[Finding]:
    """What is unfit: no login of anybody's own, or one that all share beside them."""
    database = Database(settings.database_url.get_secret_value(), schema="public", pool_size=1)
    try:
        async with database.transaction() as tx:
            own = await people(tx)
            shared = await tx.first(_SHARED, role=OPERATOR)
    finally:
        await database.close()
    if not own:
        found = f"people share the login {OPERATOR}: who decided is what they type"
        return [wrong(AREA, found, f"`hobbs logins add NAME --role …` for each person ({PAGE})")]
    if shared and shared.rolcanlogin:
        found = f"people have logins, and {OPERATOR} logs in beside them: who has it decides by any new name"
        return [wrong(AREA, found, f"`hobbs logins close-shared` ({PAGE})")]
    return []
