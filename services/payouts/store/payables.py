"""SQL of payables: what posted journals owe payees. Written under the payee's lock."""

from collections.abc import Collection, Sequence
from datetime import datetime

from fleet.cause import Cause
from fleet.database import Tx, json_parameter
from services.payouts.domain.payments import Accrual, Payable

_ACCRUE = """
    INSERT INTO payable (journal_id, wallet, currency, amount, source, event_type, occurred_at, accrued_at,
                         stripe_account, trace)
    SELECT journal_id, wallet, currency, amount, source, event_type, occurred_at, :now,
           payee.stripe_account, trace
    FROM jsonb_to_recordset(CAST(:accruals AS jsonb)) AS accrual (
        journal_id uuid, wallet text, currency text, amount bigint, source text, event_type text,
        occurred_at timestamptz, trace jsonb, place bigint)
    JOIN payee USING (wallet)
    ORDER BY place
    ON CONFLICT DO NOTHING
    RETURNING wallet
"""


async def accrue(tx: Tx, accruals: Sequence[Accrual], now: datetime) -> set[str]:
    """Insert payables, once for each journal and wallet; the wallets that got a new one."""
    rows = [
        {
            "journal_id": a.journal_id,
            "wallet": a.wallet,
            "currency": a.currency,
            "amount": a.amount,
            "source": a.source,
            "event_type": a.event_type,
            "occurred_at": a.occurred_at,
            "trace": a.trace.document(),
            "place": place,
        }
        for place, a in enumerate(accruals)
    ]
    return {row.wallet for row in await tx.all(_ACCRUE, accruals=json_parameter(rows), now=now)}


_OPEN_PAYABLES = """
    SELECT id, wallet, currency, amount, source, accrued_at, stripe_account, CAST(trace AS text) AS trace,
           event_type IN ('carried', 'adopted', 'clawback', 'offset') AS carried,
           CASE WHEN event_type = 'adjustment' THEN source
                WHEN event_type IN ('clawback', 'offset') THEN stands_for END AS capped_as
    FROM payable
    WHERE transfer_id IS NULL AND clawback_id IS NULL
      AND (wallet = ANY (CAST(:all_of AS text[])) OR amount < 0 AND wallet = ANY (CAST(:debits_of AS text[])))
      AND NOT EXISTS (  -- Stripe paid it already, and that is not written here yet
          SELECT FROM found_effect AS found
          WHERE found.wallet = payable.wallet AND found.adopted_at IS NULL
            AND found.currency = payable.currency
            AND (payable.source = ANY (found.sources)
                 OR payable.event_type IN ('carried', 'adopted', 'clawback', 'offset')
                 OR found.sources IS NULL AND payable.occurred_at < found.made_at + interval '1 hour'))
    ORDER BY wallet, id
"""


async def open_payables(tx: Tx, all_of: Collection[str], debits_of: Collection[str]) -> list[Payable]:
    """Payables in no transfer or claw-back: all of the wallets `all_of`, only negative ones of `debits_of`.

    Those that a found transfer paid (store/adoption.py) are left out.
    """
    rows = await tx.all(_OPEN_PAYABLES, all_of=sorted(all_of), debits_of=sorted(debits_of))
    return [
        Payable(
            id=row.id,
            wallet=row.wallet,
            currency=row.currency,
            amount=row.amount,
            source=row.source,
            accrued_at=row.accrued_at,
            stripe_account=row.stripe_account,
            trace=Cause.kept(row.trace),
            carried=row.carried,
            capped_as=row.capped_as,
        )
        for row in rows
    ]
