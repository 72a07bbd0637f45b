"""SQL for people at the command line: lists, one transfer with everything about it, payees."""

from typing import Any
from uuid import UUID

from sqlalchemy import Row

from fleet.database import Tx

_LIST = """
    SELECT transfer.id, transfer.wallet, transfer.amount, transfer.currency, transfer.state, transfer.reason,
           transfer.sentence, transfer.cause, transfer.stripe_transfer_id, transfer.amount_reversed,
           transfer.created_at, transfer.sent_at, transfer.clawback_until, transfer.in_bank_at
    FROM transfer
    WHERE (CAST(:states AS text[]) IS NULL OR state = ANY (CAST(:states AS text[])))
      AND (CAST(:wallet AS text) IS NULL OR wallet = :wallet)
      AND (CAST(:reason AS text) IS NULL OR reason = :reason)
    ORDER BY created_at DESC, id DESC LIMIT :most
"""


async def list_transfers(
    tx: Tx, *, states: list[str] | None, wallet: str | None, reason: str | None, most: int
) -> list[Row[Any]]:
    """Transfers, newest first."""
    return await tx.all(_LIST, states=states, wallet=wallet, reason=reason, most=most)


_ONE = """
    SELECT transfer.id, transfer.wallet, transfer.amount, transfer.currency, transfer.state, transfer.reason,
           transfer.sentence, transfer.cause, transfer.due_at, transfer.stripe_transfer_id,
           transfer.stripe_account, transfer.sent_at, transfer.clawback_until, transfer.in_bank_at,
           transfer.amount_reversed, transfer.created_at,
           transfer.trace ->> 'correlation_id' AS correlation_id
    FROM transfer WHERE id = :id
"""
_HISTORY = """
    SELECT at, from_state, to_state, reason, sentence, actor FROM transfer_history
    WHERE transfer_id = :id ORDER BY id
"""
_ATTEMPTS = """
    SELECT operation.kind, attempt.generation, attempt.phase, attempt.idempotency_key, attempt.started_at,
           attempt.finished_at, attempt.verdict, attempt.http_status, attempt.code, attempt.request_id,
           attempt.sentence
    FROM attempt JOIN operation ON operation.id = attempt.operation_id
    WHERE operation.transfer_id = :id ORDER BY attempt.started_at
"""
_PAYABLES = """
    SELECT journal_id, source, event_type, amount, currency, accrued_at FROM payable
    WHERE transfer_id = :id ORDER BY id
"""
_PAYOUTS = """
    SELECT payout.stripe_payout_id, payout.status, payout.instant, part.amount, payout.fee
    FROM payout_part AS part JOIN payout USING (stripe_payout_id) WHERE part.transfer_id = :id
    ORDER BY payout.made_at
"""


async def whole_transfer(tx: Tx, transfer_id: UUID) -> dict[str, Any] | None:
    """One transfer with its history, attempts, payables and payouts."""
    one = await tx.first(_ONE, id=transfer_id)
    if one is None:
        return None
    parts = {"history": _HISTORY, "attempts": _ATTEMPTS, "payables": _PAYABLES, "payouts": _PAYOUTS}
    rows = {name: await tx.all(sql, id=transfer_id) for name, sql in parts.items()}
    return {**one._mapping, **{name: [dict(row._mapping) for row in found] for name, found in rows.items()}}


_PAYEES = """
    SELECT payee.wallet, payee.ready,
           CASE WHEN configured_at IS NULL THEN 'not configured' WHEN removed_at IS NOT NULL THEN 'removed'
                WHEN stripe_account IS NULL THEN 'account is being made'
                WHEN NOT ready THEN coalesce(disabled_reason, 'onboarding')
                WHEN balance_negative THEN 'negative balance' ELSE 'ready' END AS status,
           payee.schedule, payee.minimum_amount, payee.hold_hours, payee.instant, payee.stripe_account,
           payee.payouts_enabled, CAST(payee.requirements AS text) AS requirements, payee.checked_at,
           EXISTS (SELECT FROM operation WHERE operation.wallet = payee.wallet AND state = 'parked') AS parked
    FROM payee ORDER BY wallet
"""


async def list_payees(tx: Tx) -> list[Row[Any]]:
    """Payees and whether they can be paid."""
    return await tx.all(_PAYEES)


async def find_payee(tx: Tx, name: str) -> list[str]:
    """Wallets that a name means: a wallet's address, or the id alone."""
    rows = await tx.all("SELECT wallet FROM payee WHERE wallet = :name OR key = :name ORDER BY 1", name=name)
    return [row.wallet for row in rows]


async def answered_link(tx: Tx, request_id: UUID) -> Row[Any] | None:
    """The link that was asked for, once the service made it or said why not."""
    return await tx.first(
        "SELECT url, expires_at, problem FROM link_request WHERE id = :id AND answered_at IS NOT NULL",
        id=request_id,
    )
