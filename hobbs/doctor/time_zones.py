"""Compares the school's time zone in the pinned tzdata package with PostgreSQL's own copy of the data.

Hobbs computes every date by the package and hands it to SQL, so a difference changes no bill. But queries
that people write with AT TIME ZONE would name other days than the bills do.
"""

from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from typing import Final

from asyncpg import PostgresError
from sqlalchemy.exc import DBAPIError

from fleet.database import Database
from fleet.settings import Settings
from fleet.zones import UnknownZone, offset_s
from hobbs.doctor.findings import Finding, ok, warning, wrong
from hobbs.shell.connections import acting_as, why

DAYS_BEFORE: Final = 30
DAYS_AHEAD: Final = 730
_ZONE = "SELECT document ->> 'time_zone' AS name FROM billing_public.cards WHERE kind = 'school'"
_OFFSETS = """
    SELECT extract(epoch FROM (at AT TIME ZONE :zone) - (at AT TIME ZONE 'UTC'))::integer AS offset_s
    FROM unnest(CAST(:instants AS timestamptz[])) WITH ORDINALITY AS asked (at, place) ORDER BY place
"""


async def examine_time_zone(settings: Settings) -> list[Finding]:
    """Compare offsets day by day from a month ago to two years ahead, when there is a school."""
    async with acting_as(settings, "billing") as database:
        try:
            async with database.transaction() as tx:
                school = await tx.first(_ZONE)
        except (DBAPIError, PostgresError):
            return []  # no right or no table: what examines PostgreSQL says it, with its fix
        return [] if school is None else [await _compared(database, school.name, datetime.now(UTC))]


async def _compared(database: Database, zone: str, now: datetime) -> Finding:
    package = f"tzdata {version('tzdata')}"
    noon = now.replace(hour=12, minute=0, second=0, microsecond=0)
    instants = [noon + timedelta(days=n) for n in range(-DAYS_BEFORE, DAYS_AHEAD)]
    try:
        ours = [offset_s(at, zone) for at in instants]
    except UnknownZone as error:
        return wrong("time zone", f"{package}: {error}", "correct time_zone in school.toml and apply it")
    try:
        async with database.transaction() as tx:
            theirs = [row.offset_s for row in await tx.all(_OFFSETS, zone=zone, instants=instants)]
    except (DBAPIError, PostgresError) as error:
        return warning("time zone", f"PostgreSQL cannot tell {zone}: {why(error)}", _FIX)
    differing = [(at, a, b) for at, a, b in zip(instants, ours, theirs, strict=True) if a != b]
    if not differing:
        return ok("time zone", f"{zone}: {package} and PostgreSQL agree")
    at, a, b = differing[0]
    found = f"{zone} on {at:%Y-%m-%d}: UTC{_hours(a)} by {package}, UTC{_hours(b)} by PostgreSQL"
    return warning("time zone", f"{found}, and on {len(differing) - 1} days more", _FIX)


_FIX: Final = (
    "bills are dated by tzdata and right; update PostgreSQL's time zone data before you query AT TIME ZONE"
)


def _hours(seconds: int) -> str:
    sign = "-" if seconds < 0 else "+"
    hours, minutes = divmod(abs(seconds) // 60, 60)
    return f"{sign}{hours:02d}:{minutes:02d}"
