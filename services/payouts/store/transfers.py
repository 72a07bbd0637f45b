"""SQL of transfers and their history. A transfer's state changes only together with a history row.

Written under the payee's lock, or by whoever holds the operation.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import Row

from fleet.cause import Cause
from fleet.database import Tx, json_parameter
from services.payouts.domain.payments import HeldTransfer, NewTransfer
from services.payouts.domain.transfers import (
    CLAWBACK,
    PAYEE_HOLDS,
    TRANSITIONS,
    HoldReason,
    LockedTransfer,
    Move,
    ProvenTransfer,
    SentTransfer,
    StoppedTransfer,
    TransferState,
)
from services.payouts.store import offsets

# What is in a transfer: payables, the journals behind them, accounts, what was taken off for corrections.
_PARTS = """
    CROSS JOIN LATERAL (
        SELECT array_agg(payable.id ORDER BY payable.id) AS ids,
               coalesce(array_agg(payable.source ORDER BY payable.id)
                   FILTER (WHERE payable.event_type NOT IN ('carried', 'adopted', 'clawback',
                                                            'offset')), '{}') AS sources,
               array_agg(DISTINCT payable.stripe_account)
                   FILTER (WHERE payable.stripe_account IS NOT NULL) AS accounts,
               coalesce(-sum(payable.amount) FILTER (
                   WHERE payable.event_type IN ('clawback', 'offset')
                      OR payable.event_type = 'adjustment' AND payable.amount < 0), 0)::bigint AS deducted
        FROM payable WHERE payable.transfer_id = transfer.id) AS part
"""
# Of a blocked payee only transfers that get another reason or sentence are read. Those that
# wait for the balance or the reserve are released by the treasury and the gate.
_WAITING = f"""
    SELECT transfer.id, transfer.wallet, transfer.currency, transfer.amount, transfer.cause, transfer.reason,
           transfer.sentence, transfer.due_at, transfer.waived, CAST(transfer.trace AS text) AS trace,
           part.ids, part.sources, part.accounts, part.deducted
    FROM unnest(CAST(:wallets AS text[]), CAST(:blocked AS text[]), CAST(:sentences AS text[]))
        AS account (wallet, blocked, sentence)
    JOIN transfer USING (wallet)
    {_PARTS}
    WHERE transfer.state = 'held'
      AND CASE WHEN account.blocked IS NULL
          THEN transfer.reason NOT IN ('balance_insufficient', 'reserve')
            AND (transfer.waived OR transfer.reason NOT IN ('hold_period', 'account_changed')
                 OR transfer.reason = 'hold_period' AND transfer.due_at <= :now)
          ELSE transfer.reason = ANY (CAST(:payee_holds AS text[]))
            AND (transfer.reason, transfer.sentence) <> (account.blocked, account.sentence) END
    ORDER BY transfer.wallet, part.ids[1], transfer.id
"""  # noqa: S608 - a text of ours


async def waiting(
    tx: Tx, blocked: Mapping[str, tuple[HoldReason, str] | None], now: datetime
) -> list[HeldTransfer]:
    """Held transfers that a decision may release or give another reason.

    blocked: wallet -> why it is blocked and what people read of that, None when it is not.
    """
    rows = await tx.all(
        _WAITING,
        wallets=list(blocked),
        blocked=[None if hold is None else str(hold[0]) for hold in blocked.values()],
        sentences=[None if hold is None else hold[1] for hold in blocked.values()],
        payee_holds=sorted({*PAYEE_HOLDS, HoldReason.OFFSET}),
        now=now,
    )
    return [_waiting(row) for row in rows]


_UNSENT = f"""
    SELECT transfer.id, transfer.wallet, transfer.currency, transfer.amount, transfer.cause,
           coalesce(transfer.reason, '') AS reason, transfer.sentence, transfer.due_at, transfer.waived,
           CAST(transfer.trace AS text) AS trace, part.ids, part.sources, part.accounts, part.deducted
    FROM transfer
    {_PARTS}
    WHERE transfer.id = ANY (CAST(:ids AS uuid[])) AND transfer.stripe_transfer_id IS NULL
    ORDER BY transfer.wallet, part.ids[1], transfer.id
"""  # noqa: S608 - a text of ours


async def unsent(tx: Tx, ids: Collection[UUID]) -> list[HeldTransfer]:
    """Transfers whose operations are locked and were not sent: they can still be withheld or merged."""
    rows = await tx.all(_UNSENT, ids=list(ids)) if ids else []
    return [replace(_waiting(row), ordered=True) for row in rows]


def _waiting(row: Row[Any]) -> HeldTransfer:
    return HeldTransfer(
        id=row.id,
        wallet=row.wallet,
        currency=row.currency,
        amount=row.amount,
        cause=row.cause,
        reason=row.reason,
        sentence=row.sentence,
        due_at=row.due_at,
        waived=row.waived,
        payables=tuple(row.ids),
        sources=tuple(row.sources),
        accounts=frozenset(row.accounts or ()),
        trace=Cause.kept(row.trace),
        deducted=row.deducted,
    )


_INSERT = """
    WITH fresh AS (
        INSERT INTO transfer (id, wallet, currency, amount, cause, state, reason, sentence, due_at, trace,
                              created_at, changed_at)
        SELECT id, wallet, currency, amount, cause, state, reason, sentence, due_at, trace, :now, :now
        FROM jsonb_to_recordset(CAST(:transfers AS jsonb)) AS fresh (
            id uuid, wallet text, currency text, amount bigint, cause text, state text, reason text,
            sentence text, due_at timestamptz, trace jsonb, place bigint)
        ORDER BY place
        RETURNING id, state, reason, sentence
    )
    INSERT INTO transfer_history (transfer_id, at, to_state, reason, sentence, actor)
    SELECT id, :now, state, reason, sentence, 'payouts' FROM fresh
"""
_LINK = """
    UPDATE payable SET transfer_id = part.transfer_id
    FROM unnest(CAST(:payables AS bigint[]), CAST(:transfers AS uuid[])) AS part (payable_id, transfer_id)
    WHERE payable.id = part.payable_id
"""
# Two payables that sum to zero move what a transfer cannot send to the next one. No journal is behind them.
_CARRY = """
    INSERT INTO payable (wallet, currency, amount, source, event_type, occurred_at, accrued_at,
                         stripe_account, transfer_id, trace)
    SELECT wallet, currency, part.amount, 'carried:' || id || part.suffix, 'carried', :now, :now,
           payee.stripe_account, part.transfer_id, trace
    FROM jsonb_to_recordset(CAST(:carried AS jsonb)) AS carried (
        id uuid, wallet text, currency text, amount bigint, carried_to uuid, trace jsonb, place bigint)
    JOIN payee USING (wallet)
    CROSS JOIN LATERAL (VALUES (-carried.amount, '/less', carried.id), (carried.amount, '', carried_to))
        AS part (amount, suffix, transfer_id)
    ORDER BY place, part.amount
"""


async def insert(tx: Tx, transfers: Sequence[NewTransfer], now: datetime) -> None:
    """Insert transfers, and put their payables into them, also those of merged transfers."""
    if not transfers:
        return
    rows = json_parameter([_new_row(t, place) for place, t in enumerate(transfers)])
    await tx.execute(_INSERT, transfers=rows, now=now)
    links = [(payable, t.id) for t in transfers for payable in t.payables]
    await tx.execute(_LINK, payables=[p for p, _ in links], transfers=[t for _, t in links])
    await offsets.leave_rests(tx, transfers, now)
    carried = [_carried_row(t, place) for place, t in enumerate(transfers) if t.carried]
    if carried:
        await tx.execute(_CARRY, carried=json_parameter(carried), now=now)


def _carried_row(transfer: NewTransfer, place: int) -> dict[str, Any]:
    return {
        "id": transfer.id,
        "wallet": transfer.wallet,
        "currency": transfer.currency,
        "amount": transfer.carried,
        "carried_to": transfer.carried_to,
        "trace": transfer.trace.document(),
        "place": place,
    }


def _new_row(transfer: NewTransfer, place: int) -> dict[str, Any]:
    return {
        "id": transfer.id,
        "wallet": transfer.wallet,
        "currency": transfer.currency,
        "amount": transfer.amount,
        "cause": transfer.cause,
        "state": TransferState.PENDING if transfer.hold is None else TransferState.HELD,
        "reason": transfer.hold,
        "sentence": transfer.sentence,
        "due_at": transfer.due_at,
        "trace": transfer.trace.document(),
        "place": place,
    }


_MOVE = """
    WITH moved AS (
        UPDATE transfer SET state = step.to_state, reason = step.reason, sentence = step.sentence,
                            changed_at = :now
        FROM (SELECT * FROM jsonb_to_recordset(CAST(:moves AS jsonb)) AS listed (
                  id uuid, to_state text, reason text, sentence text, allowed jsonb)) AS step
        WHERE transfer.id = step.id AND step.allowed ? transfer.state
        RETURNING transfer.id, old.state AS from_state, new.state AS to_state, new.reason, new.sentence
    )
    INSERT INTO transfer_history (transfer_id, at, from_state, to_state, reason, sentence, actor)
    SELECT id, :now, from_state, to_state, reason, coalesce(:note, sentence), :actor FROM moved
    RETURNING transfer_id
"""


async def move(
    tx: Tx, moves: Sequence[Move], now: datetime, actor: str = "payouts", note: str | None = None
) -> set[UUID]:
    """Move transfers whose state allows it, each with its history row; the ids that moved.

    `note`: what the history says instead of the transfer's own sentence.
    """
    if not moves:
        return set()
    rows = [
        {
            "id": m.transfer_id,
            "to_state": m.to,
            "reason": m.reason,
            "sentence": m.sentence,
            "allowed": sorted(
                s for s, following in TRANSITIONS.items() if s is not None and m.to in following
            ),
        }
        for m in moves
    ]
    moved = await tx.all(_MOVE, moves=json_parameter(rows), now=now, actor=actor, note=note)
    return {row.transfer_id for row in moved}


_COMPLETE = """
    WITH moved AS (
        UPDATE transfer SET state = 'sent', reason = NULL, sentence = NULL, changed_at = :now,
            stripe_transfer_id = done.stripe_transfer_id, stripe_account = done.stripe_account,
            sent_at = done.sent_at, clawback_until = done.sent_at + CAST(:clawback AS interval)
        FROM (SELECT * FROM jsonb_to_recordset(CAST(:sent AS jsonb)) AS listed (
                  id uuid, stripe_transfer_id text, stripe_account text, sent_at timestamptz)) AS done
        WHERE transfer.id = done.id AND transfer.stripe_transfer_id IS NULL
        RETURNING transfer.*, old.state AS from_state
    ), noted AS (
        INSERT INTO transfer_history (transfer_id, at, from_state, to_state, actor)
        SELECT id, :now, from_state, state, :actor FROM moved
    )
    SELECT moved.id, moved.wallet, moved.currency, moved.amount, moved.stripe_transfer_id,
           moved.stripe_account, moved.sent_at, moved.clawback_until, CAST(moved.trace AS text) AS trace,
           payee.key AS payee, payee.kind AS payee_kind,
           payee.instant AND payee.agreement <> 'recipient' AS instant,
           ARRAY(SELECT coalesce(stands_for, source) FROM payable
                 WHERE transfer_id = moved.id AND event_type <> 'carried'
                   AND NOT EXISTS (  -- it takes a part of a debt: the transfer that takes the last names it
                       SELECT FROM payable AS less WHERE less.transfer_id = moved.id AND less.amount > 0
                         AND less.event_type = 'offset'
                         AND less.stands_for = coalesce(payable.stands_for, payable.source))
                 GROUP BY 1 ORDER BY min(id)) AS sources,
           (SELECT coalesce(jsonb_agg(jsonb_build_array(of_debt.source, of_debt.amount, of_debt.last)
                       ORDER BY of_debt.source), '[]')::text
            FROM (SELECT coalesce(stands_for, source) AS source, -sum(amount) AS amount,
                         NOT bool_or(event_type = 'offset' AND amount > 0) AS last
                  FROM payable WHERE transfer_id = moved.id AND event_type <> 'carried'
                  GROUP BY 1 HAVING sum(amount) < 0) AS of_debt) AS debts
    FROM moved JOIN payee USING (wallet) ORDER BY moved.id
"""


async def complete(
    tx: Tx, sent: Sequence[ProvenTransfer], now: datetime, actor: str = "payouts"
) -> list[SentTransfer]:
    """Mark transfers as sent; those that were not before."""
    if not sent:
        return []
    rows = [
        {
            "id": s.transfer_id,
            "stripe_transfer_id": s.stripe_transfer_id,
            "stripe_account": s.stripe_account,
            "sent_at": s.sent_at,
        }
        for s in sent
    ]
    sent_rows = json_parameter(rows)
    done = await tx.all(_COMPLETE, sent=sent_rows, now=now, actor=actor, clawback=CLAWBACK)
    return [_sent(row) for row in done]


def _sent(row: Row[Any]) -> SentTransfer:
    debts = orjson.loads(row.debts)
    return SentTransfer(
        id=row.id,
        wallet=row.wallet,
        payee_kind=row.payee_kind,
        payee=row.payee,
        instant=row.instant,
        amount=row.amount,
        currency=row.currency,
        stripe_transfer_id=row.stripe_transfer_id,
        stripe_account=row.stripe_account,
        sources=tuple(row.sources),
        parts=tuple((source, amount) for source, amount, last in debts if not last),
        deducted=tuple((source, amount) for source, amount, last in debts if last),
        sent_at=row.sent_at,
        clawback_until=row.clawback_until,
        trace=Cause.kept(row.trace),
    )


_STOPPED = """
    SELECT transfer.id, transfer.wallet, transfer.currency, transfer.amount, transfer.reason,
           transfer.sentence, CAST(transfer.trace AS text) AS trace, payee.key AS payee,
           payee.kind AS payee_kind
    FROM transfer JOIN payee USING (wallet)
    WHERE id = ANY (CAST(:ids AS uuid[])) AND reason IS NOT NULL ORDER BY id
"""


async def stopped(tx: Tx, ids: Collection[UUID]) -> list[StoppedTransfer]:
    """Those of the transfers that are held, refused, parked or cancelled, with the reason."""
    return [_stopped(row) for row in await tx.all(_STOPPED, ids=list(ids))] if ids else []


def _stopped(row: Row[Any]) -> StoppedTransfer:
    return StoppedTransfer(
        id=row.id,
        wallet=row.wallet,
        payee_kind=row.payee_kind,
        payee=row.payee,
        amount=row.amount,
        currency=row.currency,
        reason=row.reason,
        sentence=row.sentence,
        trace=Cause.kept(row.trace),
    )


_WAIVE = "UPDATE transfer SET waived = true WHERE id = :id AND state = 'held'"


async def waive(tx: Tx, transfer_id: UUID) -> None:
    """Note that a person released a transfer: neither hold period nor a changed account holds it now."""
    await tx.execute(_WAIVE, id=transfer_id)


_WALLETS_DUE = """
    SELECT DISTINCT wallet FROM transfer
    WHERE state = 'held' AND reason = 'hold_period' AND due_at <= :now ORDER BY wallet
"""


async def wallets_due(tx: Tx, now: datetime) -> list[str]:
    """Wallets with a transfer whose hold period is over."""
    return [row.wallet for row in await tx.all(_WALLETS_DUE, now=now)]


_WALLET_OF = "SELECT wallet FROM transfer WHERE id = :id"


async def wallet_of(tx: Tx, transfer_id: UUID) -> str | None:
    """Whom a transfer pays; read before locking, since payees are locked before transfers."""
    row = await tx.first(_WALLET_OF, id=transfer_id)
    return None if row is None else row.wallet


_LOCK = """
    WITH order_of AS (
        SELECT id FROM operation WHERE transfer_id = :id AND kind = 'transfer' FOR UPDATE
    )
    SELECT transfer.id, transfer.wallet, transfer.state, transfer.reason, transfer.sentence,
           (SELECT id FROM order_of) AS operation_id
    FROM transfer WHERE id = :id
"""


async def lock(tx: Tx, transfer_id: UUID) -> LockedTransfer:
    """Lock a transfer's operation; its payee is locked already, and whoever changes a transfer holds one."""
    row = await tx.one(_LOCK, id=transfer_id)
    return LockedTransfer(
        id=row.id,
        wallet=row.wallet,
        state=TransferState(row.state),
        reason=row.reason,
        sentence=row.sentence,
        operation_id=row.operation_id,
    )
