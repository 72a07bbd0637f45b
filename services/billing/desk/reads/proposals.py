"""Proposed changes of rates, as billing's view publishes them. Amounts are minor units."""

from typing import Any, Final
from uuid import UUID

from fleet.database import Tx

_ONE: Final = """
    SELECT id, kind, key, effective_from, old, new, proposed_by, why, proposed_at, state, decided_by,
           decided_why, decided_at, version
    FROM billing_public.rate_proposals WHERE id = :id
"""


async def one(tx: Tx, proposal_id: UUID) -> dict[str, Any] | None:
    """A proposal whole; None: there is none."""
    row = await tx.first(_ONE, id=proposal_id)
    return dict(row._mapping) if row else None


_LISTED: Final = """
    SELECT id, kind, key, effective_from, old, new, proposed_by, why, proposed_at, state, decided_by,
           decided_why, decided_at, version
    FROM billing_public.rate_proposals
    WHERE (CAST(:kind AS text) IS NULL OR kind = :kind) AND (CAST(:state AS text) IS NULL OR state = :state)
    ORDER BY proposed_at DESC, id
"""


async def listed(tx: Tx, *, kind: str | None = None, state: str | None = None) -> list[dict[str, Any]]:
    """Proposals, the newest first."""
    return [dict(row._mapping) for row in await tx.all(_LISTED, kind=kind, state=state)]


_OF_CARD: Final = """
    SELECT id, kind, key, effective_from, old, new, proposed_by, why, proposed_at, state
    FROM billing_public.rate_proposals WHERE kind = :kind AND key = :key AND state = 'waiting'
    ORDER BY proposed_at DESC, id
"""


async def of_card(tx: Tx, kind: str, key: str) -> list[dict[str, Any]]:
    """What waits for another person of one card, the newest first."""
    return [dict(row._mapping) for row in await tx.all(_OF_CARD, kind=kind, key=key)]
