"""How the reserve stands, and what payouts holds for it. Published views only."""

from datetime import datetime
from typing import Any

from fleet.database import Tx
from services.reserves.domain.health import OFF, UNKNOWN

# A judgement that is over says nothing of now.
_RESERVE = """
    SELECT reserve.currency, reserve.health, reserve.health_since, reserve.gate, reserve.gate_since,
           reserve.blocks_transfers, reserve.free, reserve.minimum, reserve.ceiling,
           greatest(reserve.ceiling - coalesce(at.allowed_total, 0), 0)::bigint AS room,
           coalesce(at.held, 0) AS held, coalesce(at.held_amount, 0)::bigint AS held_amount, at.held_since,
           reserve.sentence, balance.read_at, reserve.judged_at, reserve.valid_until, reserve.terms
    FROM reserves_public.reserve
    LEFT JOIN reserves_public.balances AS balance USING (currency)
    LEFT JOIN payouts_public.reserve_gates AS at USING (currency)
    ORDER BY reserve.currency
"""


async def stands(tx: Tx, now: datetime) -> list[dict[str, Any]]:
    """How the reserve of each currency stands; amounts are minor units. Empty: the school keeps none."""
    rows = [dict(row._mapping) for row in await tx.all(_RESERVE)]
    return [_of_now(row, now) for row in rows if row["gate"] != OFF]


def _of_now(row: dict[str, Any], now: datetime) -> dict[str, Any]:
    fresh = row["valid_until"] is not None and now < row["valid_until"]
    if fresh or row["health"] == UNKNOWN:
        return row
    sentence = f"the balance was judged until {row['valid_until']:%Y-%m-%d %H:%M} UTC; nobody knows it now"
    return row | {"health": UNKNOWN, "room": 0, "sentence": sentence}
