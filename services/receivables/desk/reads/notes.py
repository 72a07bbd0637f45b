"""What people ask of refunds, credit notes, write-offs and fees. Amounts are minor units of `currency`."""

from typing import Any

from fleet.database import Tx

_NOTES = """
    SELECT id, asked_at, kind, student, currency, amount, bill, way, number, state, refunded, asked_by,
           approved_by, why, sentence
    FROM receivables_public.account_notes
    WHERE (CAST(:student AS text) IS NULL OR student = :student)
      AND (CAST(:state AS text) IS NULL OR state = :state)
    ORDER BY asked_at DESC, id DESC LIMIT :most
"""


async def notes(
    tx: Tx, *, student: str | None = None, state: str | None = None, most: int = 1000
) -> list[dict[str, Any]]:
    """What people gave or took of accounts besides payments, newest first."""
    rows = await tx.all(_NOTES, student=student, state=state, most=most)
    return [dict(row._mapping) for row in rows]
