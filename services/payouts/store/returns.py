"""SQL of what was sent to payees and may be taken back, and of what came back for which request."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from fleet.database import Tx
from services.payouts.domain.clawbacks import Clawback, FreeReversal, SentMoney

# Transfers whose window is open; the newest of the others says whether anything was ever sent.
_SENT = """
    SELECT id, stripe_transfer_id, stripe_account, amount - amount_reversed AS left, sent_at, clawback_until,
           EXISTS (SELECT FROM payable WHERE payable.transfer_id = transfer.id
                   AND coalesce(stands_for, source) = ANY (CAST(:paid_by AS text[]))) AS paid_for_it
    FROM transfer
    WHERE wallet = :wallet AND currency = :currency AND stripe_transfer_id IS NOT NULL
      AND (clawback_until > :now OR id = (
          SELECT id FROM transfer WHERE wallet = :wallet AND currency = :currency
            AND stripe_transfer_id IS NOT NULL AND amount > amount_reversed AND clawback_until <= :now
          ORDER BY sent_at DESC LIMIT 1))
    ORDER BY sent_at DESC, created_at DESC, id
"""


async def sent_money(
    tx: Tx, wallet: str, currency: str, paid_by: Sequence[str], now: datetime
) -> list[SentMoney]:
    """What was sent to a payee and may be taken back, newest first."""
    rows = await tx.all(_SENT, wallet=wallet, currency=currency, paid_by=list(paid_by), now=now)
    return [
        SentMoney(
            transfer_id=row.id,
            stripe_transfer_id=row.stripe_transfer_id,
            stripe_account=row.stripe_account,
            left=row.left,
            sent_at=row.sent_at,
            clawback_until=row.clawback_until,
            paid_for_it=row.paid_for_it,
        )
        for row in rows
    ]


_FREE = """
    SELECT stripe_reversal_id, reversal.amount - coalesce((
               SELECT sum(back.amount)::bigint FROM clawback_return AS back
               WHERE back.stripe_reversal_id = reversal.stripe_reversal_id), 0) AS free
    FROM reversal JOIN transfer ON transfer.id = reversal.transfer_id
    WHERE transfer.wallet = :wallet AND transfer.currency = :currency
      AND (reversal.cause LIKE :own
           OR :by_hand AND reversal.cause IS NULL AND operation_id IS NULL AND clawback_until > :now)
      AND NOT EXISTS (SELECT FROM clawback_return AS back
                      WHERE back.stripe_reversal_id = reversal.stripe_reversal_id
                        AND back.settlement_id = :id)
    ORDER BY reversal.cause IS NULL, reversed_at, stripe_reversal_id
"""
_RETURN = """
    INSERT INTO clawback_return (stripe_reversal_id, settlement_id, amount)
    SELECT stripe_reversal_id, :id, amount
    FROM unnest(CAST(:reversals AS text[]), CAST(:amounts AS bigint[])) AS back (stripe_reversal_id, amount)
"""


async def free_reversals(tx: Tx, one: Clawback, now: datetime, *, by_hand: bool) -> list[FreeReversal]:
    """Reversals that name a request and closed nothing yet, each with what is free of it.

    by_hand: then those that name no operation of ours, of transfers whose window is open.
    """
    own = f"clawback:{one.settlement_id}:%"
    rows = await tx.all(
        _FREE,
        id=one.settlement_id,
        wallet=one.wallet,
        currency=one.currency,
        own=own,
        by_hand=by_hand,
        now=now,
    )
    return [FreeReversal(stripe_reversal_id=row.stripe_reversal_id, free=row.free) for row in rows]


async def note_returned(tx: Tx, settlement_id: UUID, shares: Mapping[str, int]) -> None:
    """Note how much of which reversal closes the debt of a request."""
    if shares:
        await tx.execute(_RETURN, id=settlement_id, reversals=list(shares), amounts=list(shares.values()))


_RETURNED = """
    SELECT stripe_reversal_id, stripe_transfer_id FROM clawback_return
    JOIN reversal USING (stripe_reversal_id) JOIN transfer ON transfer.id = reversal.transfer_id
    WHERE settlement_id = :id ORDER BY reversed_at, stripe_reversal_id
"""


async def returned(tx: Tx, settlement_id: UUID) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What came back for a request: Stripe's ids of the reversals, and of their transfers, in order."""
    rows = await tx.all(_RETURNED, id=settlement_id)
    transfers = dict.fromkeys(row.stripe_transfer_id for row in rows)
    return tuple(row.stripe_reversal_id for row in rows), tuple(transfers)
