"""SQL of reverts whose journal has no payable here, or not yet. Written under the payees' locks."""

from collections.abc import Collection, Sequence
from uuid import UUID

from fleet.cause import Cause
from fleet.database import Tx, json_parameter
from services.payouts.domain.payments import REVERT_EVENT_TYPE, Accrual

_KEEP = """
    INSERT INTO revert_without_payable (journal_id, wallet, reverted_id, currency, amount, source,
                                        occurred_at, trace)
    SELECT journal_id, wallet, reverted_id, currency, amount, source, occurred_at, trace
    FROM jsonb_to_recordset(CAST(:reverts AS jsonb)) AS revert (
        journal_id uuid, wallet text, reverted_id uuid, currency text, amount bigint, source text,
        occurred_at timestamptz, trace jsonb)
    WHERE NOT EXISTS (SELECT FROM payable WHERE payable.journal_id = revert.journal_id
                      AND payable.wallet = revert.wallet)
    ON CONFLICT DO NOTHING
"""


async def keep(tx: Tx, reverts: Sequence[Accrual]) -> None:
    """Keep reverts until the journals they revert are payables; not those that are payables already."""
    rows = [
        {
            "journal_id": one.journal_id,
            "wallet": one.wallet,
            "reverted_id": one.reverts,
            "currency": one.currency,
            "amount": one.amount,
            "source": one.source,
            "occurred_at": one.occurred_at,
            "trace": one.trace.document(),
        }
        for one in reverts
    ]
    await tx.execute(_KEEP, reverts=json_parameter(rows))


_TAKE = """
    DELETE FROM revert_without_payable AS revert USING payable
    WHERE revert.reverted_id = ANY (CAST(:reverted AS uuid[]))
      AND payable.journal_id = revert.reverted_id AND payable.wallet = revert.wallet
    RETURNING revert.journal_id, revert.wallet, revert.reverted_id, revert.currency, revert.amount,
              revert.source, revert.occurred_at, CAST(revert.trace AS text) AS trace
"""


async def take(tx: Tx, reverted: Collection[UUID]) -> list[Accrual]:
    """Take out the reverts of these journals of which payables are there now."""
    rows = await tx.all(_TAKE, reverted=sorted(reverted))
    return [
        Accrual(
            journal_id=row.journal_id,
            wallet=row.wallet,
            currency=row.currency,
            amount=row.amount,
            source=row.source,
            event_type=REVERT_EVENT_TYPE,
            occurred_at=row.occurred_at,
            trace=Cause.kept(row.trace),
            reverts=row.reverted_id,
        )
        for row in rows
    ]
