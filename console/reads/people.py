"""Who could sign in on one's own machine, and what people are called: payouts has the names, by wallet."""

from typing import Any, Final

from console.roles import WALLET_KINDS
from fleet.database import Tx

# A person who was erased has no name: the id stands.
_PEOPLE: Final = """
    SELECT person.kind, person.key, names.full_name AS name
    FROM (SELECT DISTINCT kind, key FROM billing_public.cards
          WHERE kind IN ('instructor', 'owner', 'student')) AS person
    LEFT JOIN payouts_public.names
        ON names.wallet = CASE person.kind WHEN 'owner' THEN CAST(:owner AS text) ELSE person.kind END
                          || ':' || person.key
    ORDER BY kind, key
"""
_NAMES: Final = "SELECT wallet, full_name FROM payouts_public.names"


async def holders(tx: Tx) -> list[dict[str, Any]]:
    """Instructors, owners and students with their names, by kind and id."""
    return [dict(row._mapping) for row in await tx.all(_PEOPLE, owner=WALLET_KINDS["owner"])]


async def names(tx: Tx) -> dict[str, str]:
    """What everybody is called of whom it is known, by wallet."""
    return {row.wallet: row.full_name for row in await tx.all(_NAMES)}
