"""What was answered of an adjustment's settlements that a restored database has forgotten."""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from fleet.database import Tx
from services.adjustments.domain.settlements import settlement_id

AHEAD: Final = 10  # settlements of a wallet that could be forgotten, beyond those that there are

_ANSWERS: Final = """
    SELECT settlement_id, answer, document ->> 'asked' AS asked, sentence, heard_at
    FROM adjustments_public.early_answers WHERE settlement_id = ANY (CAST(:ids AS uuid[]))
"""


async def of_adjustment(
    tx: Tx, adjustment: UUID, currency: str, wallets: Sequence[str], settlements: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """By wallet and number: what payouts or the ledger answered before; decided again it is settled by it.

    asked: minor units; None for a journal.
    """
    most = max((row["number"] for row in settlements), default=0) + AHEAD
    places = {
        settlement_id(adjustment, wallet, n): (wallet, n) for wallet in wallets for n in range(1, most + 1)
    }
    rows = await tx.all(_ANSWERS, ids=sorted(places))
    found = [
        {
            "wallet": places[row.settlement_id][0],
            "number": places[row.settlement_id][1],
            "answer": row.answer,
            "asked": None if row.asked is None else int(row.asked),
            "currency": currency,
            "sentence": row.sentence,
            "heard_at": row.heard_at,
        }
        for row in rows
    ]
    return sorted(found, key=lambda row: (row["wallet"], row["number"]))
