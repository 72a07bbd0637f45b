"""Asks the invariants of every service, each as its role, and those across services (invariants.sql)."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from fleet.database import Database
from fleet.invariants import Invariant, Outcome, ask_all, read, service_invariants
from fleet.revisions import services
from fleet.settings import Settings
from hobbs.shell.connections import acting_as, why

ACROSS: Final = "across"


async def check_invariants(settings: Settings, only: Sequence[str] = ()) -> list[Outcome]:
    """Ask every invariant of every service (or of `only`), and those across services."""
    outcomes: list[Outcome] = []
    for service in services():
        if not only or service in only:
            async with acting_as(settings, service) as database:
                outcomes += await ask_all(database, service_invariants(service), why)
    if not only or ACROSS in only:
        database = Database(settings.database_url.get_secret_value(), schema="public", pool_size=1)
        try:
            outcomes += await ask_all(database, across_services(), why)
        finally:
            await database.close()
    return outcomes


def across_services() -> list[Invariant]:
    return read(ACROSS, Path(__file__).with_name("invariants.sql"))
