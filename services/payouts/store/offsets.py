"""SQL of how much of a payment is taken off for corrections, and of what a transfer leaves of a debt."""

from collections.abc import Sequence
from datetime import date, datetime

from fleet.database import Tx, json_parameter
from services.payouts.domain.offsets import Share, SharePolicy
from services.payouts.domain.payments import NewTransfer

# A card's newest version stands, in whatever order they are read.
_KEEP = """
    INSERT INTO offset_policy (effective_from, version, percent)
    SELECT effective_from, version, percent FROM jsonb_to_recordset(CAST(:policies AS jsonb))
        AS policy (effective_from date, version integer, percent integer)
    ORDER BY effective_from
    ON CONFLICT (effective_from) DO UPDATE SET version = excluded.version, percent = excluded.percent
    WHERE offset_policy.version <= excluded.version
"""


async def keep(tx: Tx, policies: Sequence[SharePolicy]) -> None:
    """Keep dated policies; of several versions of one date the newest stands."""
    newest = {one.effective_from: one for one in sorted(policies, key=lambda one: one.version)}
    rows = [
        {"effective_from": one.effective_from.isoformat(), "version": one.version, "percent": one.percent}
        for one in newest.values()
    ]
    await tx.execute(_KEEP, policies=json_parameter(rows))


_IN_FORCE = """
    SELECT percent FROM offset_policy WHERE effective_from <= :today AND percent IS NOT NULL
    ORDER BY effective_from DESC LIMIT 1
"""


async def share(tx: Tx, today: date) -> Share:
    """What share of each payment is taken off on a day of the school's calendar; all where no card says."""
    row = await tx.first(_IN_FORCE, today=today)
    return Share() if row is None else Share(percent=row.percent)


# Two payables that add up to nothing: one in the transfer, and the rest of the debt, which is as old as it.
_LEAVE = """
    INSERT INTO payable (wallet, currency, amount, source, event_type, occurred_at, accrued_at,
                         stripe_account, transfer_id, stands_for, trace)
    SELECT wallet, currency, part.amount, 'offset:' || id || part.suffix, 'offset', :now, accrued_at,
           payee.stripe_account, part.transfer_id, debt, trace
    FROM jsonb_to_recordset(CAST(:rests AS jsonb)) AS rest (
        id uuid, wallet text, currency text, amount bigint, debt text, accrued_at timestamptz, rest_to uuid,
        trace jsonb, place bigint)
    JOIN payee USING (wallet)
    CROSS JOIN LATERAL (VALUES (rest.amount, '/less', rest.id), (-rest.amount, '', rest.rest_to))
        AS part (amount, suffix, transfer_id)
    ORDER BY place, part.amount DESC
"""


async def leave_rests(tx: Tx, transfers: Sequence[NewTransfer], now: datetime) -> None:
    """Leave what transfers do not take of debts: open, or in the transfer that takes it next."""
    rests = [
        {
            "id": one.id,
            "wallet": one.wallet,
            "currency": one.currency,
            "amount": one.rest.amount,
            "debt": one.rest.source,
            "accrued_at": one.rest.accrued_at,
            "rest_to": one.rest.to,
            "trace": one.trace.document(),
            "place": place,
        }
        for place, one in enumerate(transfers)
        if one.rest is not None
    ]
    if rests:
        await tx.execute(_LEAVE, rests=json_parameter(rests), now=now)
