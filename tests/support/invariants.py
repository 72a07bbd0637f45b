"""A service's invariants, asked after a test as one statement: each for itself was a tenth of its time."""

from functools import cache
from typing import Any, Final

from fleet.database import Database
from fleet.invariants import service_invariants

NOT_ASKED: Final = "guards_are_on"  # tests switch them off, to see what is found
_OF_ONE: Final = "SELECT '{name}' AS name, to_jsonb(found) AS broken FROM ({sql}) AS found"


async def broken_invariants(db: Database) -> dict[str, list[Any]]:
    """The invariants of the database's service that do not hold, with the rows that break each."""
    async with db.transaction() as tx:
        rows = await tx.all(_statement(db.schema))
    broken: dict[str, list[Any]] = {}
    for row in rows:
        broken.setdefault(row.name, []).append(row.broken)
    return broken


@cache
def _statement(service: str) -> str:
    asked = [one for one in service_invariants(service) if one.name != NOT_ASKED]
    assert asked, service
    return " UNION ALL ".join(_OF_ONE.format(name=one.name, sql=one.sql) for one in asked).replace(":", r"\:")
