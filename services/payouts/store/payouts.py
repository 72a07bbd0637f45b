"""SQL of what happens to money after it was sent: payouts to the bank, and reversals."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row

from fleet.cause import Cause
from fleet.database import Tx, json_parameter
from services.payouts.domain.payouts import (
    NewReversal,
    ReversibleTransfer,
    SeenPayout,
    SeenReversal,
    fitting_reversals,
)
from services.payouts.domain.transfers import ReversedTransfer

# A payout's status only moves forward, in whatever order webhooks arrive: "paid" may become "failed".
_NOTE = """
    INSERT INTO payout (stripe_payout_id, stripe_account, wallet, amount, currency, status, instant, failure,
                        operation_id, made_at, seen_at)
    SELECT :stripe_payout_id, :stripe_account, wallet, :amount, :currency, :status, :instant, :failure,
           (SELECT id FROM operation WHERE id = :operation_id), :made_at, :now
    FROM payee WHERE stripe_account = :stripe_account
    ON CONFLICT (stripe_payout_id) DO UPDATE SET
        status = excluded.status, failure = coalesce(excluded.failure, payout.failure), seen_at = :now,
        operation_id = coalesce(payout.operation_id, excluded.operation_id)
    WHERE array_position(ARRAY['pending', 'in_transit', 'paid', 'canceled', 'failed'], payout.status)
        < array_position(ARRAY['pending', 'in_transit', 'paid', 'canceled', 'failed'], excluded.status)
    RETURNING wallet
"""


async def note(tx: Tx, payout: SeenPayout, now: datetime) -> bool:
    """Note a payout's status; False when a later one is known already, or the account is no payee's."""
    noted = await tx.first(
        _NOTE,
        stripe_payout_id=payout.stripe_payout_id,
        stripe_account=payout.stripe_account,
        amount=payout.amount,
        currency=payout.currency,
        status=payout.status,
        instant=payout.instant,
        failure=payout.failure,
        operation_id=payout.operation_id,
        made_at=payout.made_at,
        now=now,
    )
    return noted is not None


_SET_FEE = """
    UPDATE payout SET fee = :fee WHERE stripe_payout_id = :id AND fee IS NULL RETURNING wallet, currency
"""


async def set_fee(tx: Tx, stripe_payout_id: str, fee: int) -> tuple[str, str] | None:
    """Note an instant payout's fee, in minor units; its wallet and currency, None when the fee was known."""
    row = await tx.first(_SET_FEE, id=stripe_payout_id, fee=fee)
    return None if row is None else (row.wallet, row.currency)


_FEE_OF = "SELECT fee FROM payout WHERE stripe_payout_id = :id"


async def fee_of(tx: Tx, stripe_payout_id: str) -> int | None:
    """An instant payout's fee in minor units, None while it is not known."""
    row = await tx.first(_FEE_OF, id=stripe_payout_id)
    return None if row is None else row.fee


_SETTLE_ONCE = """
    UPDATE payout SET told = status
    WHERE stripe_payout_id = :id AND status = :status AND status IN ('paid', 'failed', 'canceled')
      AND told IS DISTINCT FROM status
    RETURNING wallet
"""


async def settle_once(tx: Tx, stripe_payout_id: str, status: str) -> bool:
    """True the first time that a payout is found in this final status; False when it has another by now."""
    return await tx.first(_SETTLE_ONCE, id=stripe_payout_id, status=status) is not None


_AWAITS_BANK = """
    SELECT EXISTS (
        SELECT FROM transfer JOIN payee USING (stripe_account)
        WHERE payee.wallet = :wallet AND state IN ('sent', 'partly_reversed') AND in_bank_at IS NULL) AS waits
"""


async def awaits_bank(tx: Tx, wallet: str) -> bool:
    """Whether a payee has transfers that are sent and not in the bank."""
    return bool((await tx.one(_AWAITS_BANK, wallet=wallet)).waits)


_HAD_MONEY = """
    SELECT EXISTS (SELECT FROM payout WHERE stripe_account = :account)
        OR EXISTS (SELECT FROM transfer WHERE stripe_account = :account AND in_bank_at IS NULL
                   AND state IN ('sent', 'partly_reversed')) AS had
"""


async def had_money(tx: Tx, stripe_account: str) -> bool:
    """Whether something was ever paid out of an account, or is on its way to its bank."""
    return bool((await tx.one(_HAD_MONEY, account=stripe_account)).had)


_MARK_IN_BANK = """
    WITH moved AS (
        UPDATE transfer SET state = 'in_bank', in_bank_at = :now, changed_at = :now
        WHERE stripe_transfer_id = :id AND state = 'sent' RETURNING id
    )
    INSERT INTO transfer_history (transfer_id, at, from_state, to_state, sentence, actor)
    SELECT id, :now, 'sent', 'in_bank', 'transfer.paid from an old API version', 'stripe' FROM moved
"""


async def mark_in_bank(tx: Tx, stripe_transfer_id: str, now: datetime) -> None:
    """Note that a transfer is in the bank, as `transfer.paid` of old API versions says."""
    await tx.execute(_MARK_IN_BANK, id=stripe_transfer_id, now=now)


_LOCK_TRANSFERS = """
    SELECT id, stripe_transfer_id, amount, amount_reversed, currency
    FROM transfer WHERE stripe_transfer_id = ANY (CAST(:ids AS text[])) ORDER BY id FOR UPDATE
"""
_NOTED = "SELECT stripe_reversal_id FROM reversal WHERE stripe_reversal_id = ANY (CAST(:ids AS text[]))"
_REVERSE = """
    INSERT INTO reversal (stripe_reversal_id, transfer_id, operation_id, amount, reversed_at, cause)
    SELECT seen.stripe_reversal_id, transfer.id, operation.id, seen.amount, seen.reversed_at, seen.cause
    FROM jsonb_to_recordset(CAST(:reversals AS jsonb)) AS seen (
        stripe_reversal_id text, stripe_transfer_id text, operation_id uuid, amount bigint,
        reversed_at timestamptz, cause text)
    JOIN transfer USING (stripe_transfer_id) LEFT JOIN operation ON operation.id = seen.operation_id
    ORDER BY seen.stripe_reversal_id
    ON CONFLICT (stripe_reversal_id) DO NOTHING
    RETURNING stripe_reversal_id, transfer_id, amount, reversed_at
"""
_REVERSED = """
    WITH total AS (
        SELECT transfer_id, sum(amount) AS amount FROM reversal
        WHERE transfer_id = ANY (CAST(:ids AS uuid[])) GROUP BY transfer_id
    ), moved AS (
        UPDATE transfer SET amount_reversed = total.amount, changed_at = :now,
            state = CASE WHEN total.amount = transfer.amount THEN 'reversed' ELSE 'partly_reversed' END
        FROM total WHERE transfer.id = total.transfer_id AND transfer.amount_reversed < total.amount
        RETURNING transfer.id, old.state AS from_state, new.state AS to_state
    )
    INSERT INTO transfer_history (transfer_id, at, from_state, to_state, actor)
    SELECT id, :now, from_state, to_state, 'stripe' FROM moved
"""
_TOTALS = """
    SELECT transfer.id, transfer.wallet, transfer.currency, transfer.amount, transfer.amount_reversed,
           transfer.stripe_transfer_id, CAST(transfer.trace AS text) AS trace, payee.key AS payee,
           payee.kind AS payee_kind
    FROM transfer JOIN payee USING (wallet) WHERE id = ANY (CAST(:ids AS uuid[])) ORDER BY id
"""


async def reverse(
    tx: Tx, reversals: Sequence[SeenReversal], now: datetime
) -> tuple[list[NewReversal], list[ReversedTransfer], list[tuple[SeenReversal, str]]]:
    """Note reversals once each; the new ones, and their transfers with the total reversed so far.

    Third are those that do not fit their transfer, which are not noted, and why.
    """
    if not reversals:
        return [], [], []
    locked = await tx.all(_LOCK_TRANSFERS, ids=sorted({r.stripe_transfer_id for r in reversals}))
    rows = await tx.all(_NOTED, ids=[r.stripe_reversal_id for r in reversals])
    noted = {row.stripe_reversal_id for row in rows}
    unnoted = {r.stripe_reversal_id: r for r in reversals if r.stripe_reversal_id not in noted}
    fit, unfit = fitting_reversals(list(unnoted.values()), [_reversible(row) for row in locked])
    listed = [{name: getattr(r, name) for name in SeenReversal.__slots__} for r in fit]
    fresh = await tx.all(_REVERSE, reversals=json_parameter(listed))
    ids = sorted({row.transfer_id for row in fresh})
    await tx.execute(_REVERSED, ids=ids, now=now)
    totals = await tx.all(_TOTALS, ids=ids)
    return [_new_reversal(row) for row in fresh], [_reversed_transfer(row) for row in totals], unfit


def _reversible(row: Row[Any]) -> ReversibleTransfer:
    return ReversibleTransfer(
        stripe_transfer_id=row.stripe_transfer_id,
        amount=row.amount,
        amount_reversed=row.amount_reversed,
        currency=row.currency,
    )


def _new_reversal(row: Row[Any]) -> NewReversal:
    return NewReversal(
        stripe_reversal_id=row.stripe_reversal_id,
        transfer_id=row.transfer_id,
        amount=row.amount,
        reversed_at=row.reversed_at,
    )


def _reversed_transfer(row: Row[Any]) -> ReversedTransfer:
    return ReversedTransfer(
        id=row.id,
        wallet=row.wallet,
        payee_kind=row.payee_kind,
        payee=row.payee,
        amount=row.amount,
        amount_reversed=row.amount_reversed,
        currency=row.currency,
        stripe_transfer_id=row.stripe_transfer_id,
        trace=Cause.kept(row.trace),
    )


_NOT_NOTED = """
    SELECT stripe_transfer_id FROM transfer
    JOIN unnest(CAST(:ids AS text[]), CAST(:amounts AS bigint[])) AS seen (id, amount)
      ON stripe_transfer_id = seen.id AND amount_reversed < seen.amount
    ORDER BY 1
"""


async def with_reversals_not_noted(tx: Tx, amounts: Mapping[str, int]) -> list[str]:
    """Transfers of which Stripe took back more than we noted; `amounts`: Stripe's id -> what it took back."""
    rows = await tx.all(_NOT_NOTED, ids=list(amounts), amounts=list(amounts.values())) if amounts else []
    return [row.stripe_transfer_id for row in rows]


_WALLETS_OF = "SELECT DISTINCT wallet FROM transfer WHERE stripe_transfer_id = ANY (CAST(:ids AS text[]))"


async def wallets_of_transfers(tx: Tx, ids: Collection[str]) -> set[str]:
    """Payees of transfers, by Stripe's ids; read before locking, since payees are locked first."""
    return {row.wallet for row in await tx.all(_WALLETS_OF, ids=sorted(ids))} if ids else set()


_REVERSED_OF = "SELECT amount_reversed FROM transfer WHERE stripe_transfer_id = :id"


async def reversed_of(tx: Tx, stripe_transfer_id: str) -> int | None:
    """How much was taken back of a transfer by what we noted, None when the transfer is not ours."""
    row = await tx.first(_REVERSED_OF, id=stripe_transfer_id)
    return None if row is None else row.amount_reversed
