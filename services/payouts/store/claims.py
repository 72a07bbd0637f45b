"""SQL that leases operations: the first in each payee's line, of each kind what its endpoint takes."""

from datetime import datetime, timedelta
from typing import Any

import orjson
from sqlalchemy import Row

from fleet.cause import Cause
from fleet.database import Tx, json_parameter
from services.payouts.domain.operations import Kind, Operation, Phase
from services.payouts.domain.outcomes import KEY_TRUSTED_FOR
from services.payouts.domain.relay import Room

# The recursive part takes one step in an index for each payee with an open operation, and finds the first
# in each payee's line: the one in flight, else the oldest. While that one is parked or held, the others wait.
# While the school keeps a reserve, only transfers that were let out are sent (steps/reserve_gate.py).
# While the school's balance is short, transfers younger than the oldest that waits for it wait too. While
# Stripe refuses our key there are no lines. While something that Stripe made for a payee is not adopted, that
# payee's line stands; while it is doubtful, only what it may have paid. What may not be sent any more is only
# looked up, if it was sent before.
_CLAIM = """
    WITH RECURSIVE line AS (
        (SELECT wallet, id FROM operation WHERE state IN ('due', 'in_flight', 'held', 'parked')
           AND NOT EXISTS (SELECT FROM relay_stop WHERE since IS NOT NULL)
         ORDER BY wallet, (state <> 'in_flight'), sequence LIMIT 1)
        UNION ALL
        SELECT head.wallet, head.id FROM line CROSS JOIN LATERAL (
            SELECT wallet, id FROM operation
            WHERE state IN ('due', 'in_flight', 'held', 'parked') AND operation.wallet > line.wallet
            ORDER BY wallet, (state <> 'in_flight'), sequence LIMIT 1) AS head
    ), ready AS (
        SELECT operation.id, kind, sequence,
               CASE WHEN first_sent_at <= :trusted_since OR not_after <= :now THEN 'look_up' ELSE phase END
                   AS phase
        FROM line JOIN operation USING (id)
        WHERE (state = 'due' AND due_at <= :now OR state = 'in_flight' AND lease_until < :now)
          AND (first_sent_at IS NOT NULL OR coalesce(not_after > :now, true))
          AND (kind <> 'transfer' OR first_sent_at IS NOT NULL OR NOT EXISTS (
              SELECT FROM operation AS older
              WHERE older.state = 'held' AND older.reason = 'balance_insufficient'
                AND older.currency = operation.currency AND older.sequence < operation.sequence))
          AND (kind <> 'transfer' OR let_out_at IS NOT NULL OR NOT EXISTS (
              SELECT FROM reserve_gate WHERE reserve_gate.currency = operation.currency))
          AND NOT EXISTS (  -- Stripe may have done it before a restore (store/adoption.py)
              SELECT FROM found_effect AS found
              WHERE found.wallet = operation.wallet AND found.adopted_at IS NULL
                AND (found.standing = 'waiting' OR found.operation_id = operation.id OR EXISTS (
                    SELECT FROM payable WHERE payable.transfer_id = operation.transfer_id
                      AND payable.currency = found.currency
                      AND (payable.source = ANY (found.sources) OR found.sources IS NULL
                           AND payable.occurred_at < found.made_at + interval '1 hour'))))
    ), ranked AS (
        SELECT ready.id, row_number() OVER (PARTITION BY ready.kind, ready.phase ORDER BY sequence) AS place,
               room.most
        FROM ready
        LEFT JOIN jsonb_to_recordset(CAST(:room AS jsonb)) AS room (kind text, phase text, most integer)
            ON room.kind = ready.kind AND room.phase = ready.phase
    ), claimable AS (
        SELECT operation.id FROM ranked JOIN operation USING (id)
        WHERE place <= coalesce(ranked.most, place)
          AND (state = 'due' AND due_at <= :now OR state = 'in_flight' AND lease_until < :now)
        ORDER BY sequence LIMIT :most FOR UPDATE OF operation SKIP LOCKED
    ), taken AS (
        UPDATE operation SET state = 'in_flight', lease_token = gen_random_uuid(), lease_until = :until,
            attempts = attempts + 1,
            phase = CASE WHEN first_sent_at <= :trusted_since OR not_after <= :now THEN 'look_up'
                ELSE phase END,
            first_sent_at = coalesce(first_sent_at, :now)
        FROM claimable WHERE operation.id = claimable.id
        RETURNING operation.*
    ), lost AS (
        UPDATE attempt SET finished_at = :now, verdict = 'lease_lost' FROM taken
        WHERE attempt.operation_id = taken.id AND attempt.finished_at IS NULL
    ), tried AS (
        INSERT INTO attempt (lease_token, operation_id, generation, phase, idempotency_key, started_at)
        SELECT lease_token, id, generation, phase, 'op:' || id || ':' || generation, :now FROM taken
    ), moved AS (
        UPDATE transfer SET state = 'sending', changed_at = :now FROM taken
        WHERE transfer.id = taken.transfer_id AND taken.kind = 'transfer' AND transfer.state = 'pending'
        RETURNING transfer.id
    ), noted AS (
        INSERT INTO transfer_history (transfer_id, at, from_state, to_state, actor)
        SELECT id, :now, 'pending', 'sending', 'payouts' FROM moved
    )
    SELECT id, kind, wallet, transfer_id, CAST(params AS text) AS params, amount, currency, stripe_account,
           parent_id, phase, generation, attempts, server_errors, lookups, clean_lookups, first_sent_at,
           lease_token, lease_until, CAST(trace AS text) AS trace, tries, not_after,
           CASE kind WHEN 'account' THEN (SELECT email FROM contact WHERE contact.wallet = taken.wallet) END
               AS email
    FROM taken ORDER BY sequence
"""


async def claim(
    tx: Tx, most: int, now: datetime, lease: timedelta, room: Room | None = None
) -> list[Operation]:
    """Lease up to `most` operations that are due: the first in each payee's line, oldest first.

    room: how many of each kind and phase at most. It is one statement, so that it may be a transaction of its
    own. While the relay is stopped: none.
    """
    rooms = [{"kind": kind, "phase": phase, "most": n} for (kind, phase), n in (room or {}).items()]
    rows = await tx.all(
        _CLAIM,
        most=most,
        now=now,
        until=now + lease,
        trusted_since=now - KEY_TRUSTED_FOR,
        room=json_parameter(rooms),
    )
    return [_operation(row) for row in rows]


def _operation(row: Row[Any]) -> Operation:
    return Operation(
        id=row.id,
        kind=Kind(row.kind),
        wallet=row.wallet,
        transfer_id=row.transfer_id,
        params=orjson.loads(row.params),
        amount=row.amount,
        currency=row.currency,
        stripe_account=row.stripe_account,
        parent_id=row.parent_id,
        phase=Phase(row.phase),
        generation=row.generation,
        attempts=row.attempts,
        server_errors=row.server_errors,
        lookups=row.lookups,
        clean_lookups=row.clean_lookups,
        first_sent_at=row.first_sent_at,
        lease_token=row.lease_token,
        lease_until=row.lease_until,
        trace=Cause.kept(row.trace),
        tries=row.tries,
        not_after=row.not_after,
        email=row.email,
    )
