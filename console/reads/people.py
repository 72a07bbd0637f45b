"""Who could sign in on one's own machine: the people of the school's book."""

from typing import Any, Final

from fleet.database import Tx

_PEOPLE: Final = """
    SELECT DISTINCT ON (kind, key) kind, key, document ->> 'name' AS name
    FROM billing_public.cards WHERE kind IN ('instructor', 'owner', 'aircraft_owner', 'student')
    ORDER BY kind, key, effective_from DESC, version DESC
"""


async def holders(tx: Tx) -> list[dict[str, Any]]:
    """Instructors, owners and students with their names, by kind and id."""
    return [dict(row._mapping) for row in await tx.all(_PEOPLE)]
