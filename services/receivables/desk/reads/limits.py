"""What people ask of limits that rise and fall by the book's policy. Amounts are minor units."""

from typing import Any

from fleet.database import Tx

_CHANGES = """
    SELECT id, student, number, currency, from_limit, to_limit, state, proposed_at, effective_from,
           needs_second, accepted_by, approved_by, decided_by, decided_at, sentence, why, cause, evidence
    FROM receivables_public.limit_changes
    WHERE (CAST(:student AS text) IS NULL OR student = :student)
      AND (NOT :open OR state IN ('proposed', 'waits'))
    ORDER BY proposed_at DESC, student, number DESC LIMIT :most
"""


async def changes(
    tx: Tx, *, student: str | None = None, only_open: bool = False, most: int = 1000
) -> list[dict[str, Any]]:
    """Changes of limits with what they were found by, newest first; all, or those that wait for a person."""
    rows = await tx.all(_CHANGES, student=student, open=only_open, most=most)
    return [dict(row._mapping) for row in rows]
