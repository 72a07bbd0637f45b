"""SQL of what the school's Stripe balance has to cover."""

from collections.abc import Sequence

from fleet.database import Tx
from services.payouts.domain.balance import WaitingForBalance

_WAITING = """
    SELECT id, amount, currency FROM operation
    WHERE state = 'held' AND reason = 'balance_insufficient' ORDER BY sequence LIMIT 1000
"""


async def waiting(tx: Tx) -> list[WaitingForBalance]:
    """Transfers that wait for the school's Stripe balance, oldest first, at most 1,000."""
    rows = await tx.all(_WAITING)
    return [WaitingForBalance(operation_id=row.id, amount=row.amount, currency=row.currency) for row in rows]


_COMMITTED = """
    SELECT currency, sum(amount)::bigint AS amount FROM operation
    WHERE kind = 'transfer' AND state IN ('due', 'in_flight') AND currency = ANY (CAST(:currencies AS text[]))
      AND (state = 'in_flight' OR first_sent_at IS NOT NULL OR generation > 1)
    GROUP BY currency
"""


async def committed(tx: Tx, currencies: Sequence[str]) -> dict[str, int]:
    """Currency -> minor units that operations under way will take from the balance."""
    rows = await tx.all(_COMMITTED, currencies=list(currencies))
    return {row.currency: row.amount for row in rows}
