"""Journals by hand that needed two people, from a published view."""

from collections.abc import Sequence
from typing import Final

from fleet.database import Tx

_WAITING: Final = """
    SELECT source, currency, amount, why, asked_by, asked_at, agreed_by, agreed_at
    FROM ledger_public.by_hand_words
    WHERE NOT CAST(:waiting AS boolean) OR agreed_by IS NULL AND asked_at > now() - interval '1 day'
    ORDER BY asked_at DESC, id DESC LIMIT 200
"""


async def words(tx: Tx, *, waiting: bool) -> Sequence[dict[str, object]]:
    """What was asked for, newest first, or only what waits for another login. Reads a published view."""
    return [dict(row._mapping) for row in await tx.all(_WAITING, waiting=waiting)]
