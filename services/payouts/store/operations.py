"""SQL of operations and their attempts: insert, claim, record, start a new generation.

Keep these rules: `claim` (claims.py) and `record` are separate commits with no transaction between them;
`record` writes only WHERE the lease is still ours; a generation changes only in `start_new_generation` or by
an outcome.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import Row

from fleet.cause import Cause
from fleet.database import Tx, json_parameter
from services.payouts.domain.operations import Kind, KnownOperation, ParkedOperation, State
from services.payouts.domain.orders import NewOperation
from services.payouts.domain.outcomes import OperationOutcome
from services.payouts.domain.transfers import HoldReason

# A cause names one operation: one that was held for its payee becomes due again, as it was decided.
# An instant payout takes its transfer's place in the line, and so does a reversal: behind all of the payee's
# transfers they would come when Stripe's own payout has emptied the account. A request for an account goes on
# where a refused one ended.
_INSERT = """
    INSERT INTO operation (id, sequence, kind, wallet, transfer_id, cause, params, amount, currency,
                           stripe_account, parent_id, due_at, trace, created_at, tries, told, not_after,
                           first_sent_at)
    SELECT id,
           coalesce((SELECT sequence FROM operation AS sent
                     WHERE decided.kind IN ('instant_payout', 'reversal')
                       AND sent.transfer_id = decided.transfer_id AND sent.kind = 'transfer'),
                    nextval('operation_order')),
           kind, wallet, transfer_id, cause, params, amount, currency, stripe_account, parent_id, :now,
           trace, :now, coalesce(refused.tries, 0), refused.told, not_after, sent_since
    FROM jsonb_to_recordset(CAST(:operations AS jsonb)) AS decided (
        id uuid, kind text, wallet text, transfer_id uuid, cause text, params jsonb, amount bigint,
        currency text, stripe_account text, parent_id text, trace jsonb, not_after timestamptz,
        sent_since timestamptz, place bigint)
    LEFT JOIN LATERAL (
        SELECT tries, told FROM operation AS before
        WHERE decided.kind = 'account' AND before.wallet = decided.wallet AND before.kind = 'account'
          AND before.state = 'refused'
        ORDER BY sequence DESC LIMIT 1) AS refused ON true
    ORDER BY place
    ON CONFLICT ON CONSTRAINT one_operation_per_cause DO UPDATE
        SET state = 'due', due_at = excluded.due_at, reason = NULL, sentence = NULL
        WHERE operation.state = 'held' AND operation.first_sent_at IS NULL
"""


async def insert(tx: Tx, operations: Sequence[NewOperation], now: datetime) -> None:
    """Write operations in the transaction that decided them, in the order they are to be done."""
    if not operations:
        return
    rows = [
        {
            "id": o.id,
            "kind": o.kind,
            "wallet": o.wallet,
            "transfer_id": o.transfer_id,
            "cause": o.cause,
            "params": o.params,
            "amount": o.amount,
            "currency": o.currency,
            "stripe_account": o.stripe_account,
            "parent_id": o.parent_id,
            "trace": o.trace.document(),
            "not_after": o.not_after,
            "sent_since": o.sent_since,
            "place": place,
        }
        for place, o in enumerate(operations)
    ]
    await tx.execute(_INSERT, operations=json_parameter(rows), now=now)


_RECORD = """
    WITH outcome AS (
        SELECT * FROM jsonb_to_recordset(CAST(:outcomes AS jsonb)) AS listed (
            id uuid, token uuid, state text, phase text, generation integer, due_at timestamptz,
            first_sent_at timestamptz, server_errors integer, lookups integer, clean_lookups integer,
            stripe_id text, reason text, sentence text, verdict text, http_status integer, code text,
            request_id text, heard text, answered_at timestamptz, retry_at timestamptz, told text)
    ), recorded AS (
        UPDATE operation SET state = outcome.state, phase = outcome.phase, generation = outcome.generation,
            due_at = outcome.due_at, first_sent_at = outcome.first_sent_at,
            attempts = CASE WHEN outcome.generation = operation.generation THEN attempts ELSE 0 END,
            server_errors = outcome.server_errors, lookups = outcome.lookups,
            clean_lookups = outcome.clean_lookups, stripe_id = outcome.stripe_id, reason = outcome.reason,
            sentence = outcome.sentence, lease_token = NULL, lease_until = NULL,
            finished_at = CASE WHEN outcome.state IN ('succeeded', 'refused') THEN outcome.answered_at END,
            stopped_at = CASE WHEN outcome.told IS NOT NULL THEN outcome.answered_at END,
            retry_at = outcome.retry_at, retry_for = NULL, told = coalesce(outcome.told, operation.told)
        FROM outcome
        WHERE operation.id = outcome.id AND operation.state = 'in_flight'
          AND operation.lease_token = outcome.token
        RETURNING operation.id, old.lease_token AS token, old.told IS DISTINCT FROM new.told AS is_news
    ), finished AS (
        UPDATE attempt SET finished_at = outcome.answered_at, verdict = outcome.verdict,
            http_status = outcome.http_status, code = outcome.code, request_id = outcome.request_id,
            sentence = outcome.heard
        FROM outcome JOIN recorded USING (token)
        WHERE attempt.lease_token = outcome.token
    )
    SELECT id, is_news FROM recorded
"""


async def record(tx: Tx, outcomes: Sequence[OperationOutcome]) -> dict[UUID, bool]:
    """Write outcomes whose lease is still ours; the operations written. Others were claimed anew.

    With each operation, whether it stopped for another cause than people were told before.
    """
    rows = json_parameter([_outcome_row(o) for o in outcomes])
    return {row.id: row.is_news for row in await tx.all(_RECORD, outcomes=rows)}


def _outcome_row(outcome: OperationOutcome) -> dict[str, Any]:
    return {
        "id": outcome.operation.id,
        "token": outcome.operation.lease_token,
        "state": outcome.state,
        "phase": outcome.phase,
        "generation": outcome.generation,
        "due_at": outcome.due_at,
        "first_sent_at": outcome.first_sent_at,
        "server_errors": outcome.server_errors,
        "lookups": outcome.lookups,
        "clean_lookups": outcome.clean_lookups,
        "stripe_id": None if outcome.effect is None else outcome.effect["id"],
        "reason": outcome.reason,
        "sentence": outcome.sentence,
        "verdict": outcome.verdict,
        "http_status": outcome.answer.status,
        "code": outcome.answer.code,
        "request_id": outcome.answer.request_id,
        "heard": None if outcome.effect else outcome.answer.sentence,
        "answered_at": outcome.answered_at,
        "retry_at": outcome.retry_at,
        "told": outcome.told,
    }


# A webhook may prove an effect before the answer does. A relay that has the lease then finds it ended.
_PROVE = """
    UPDATE operation SET state = 'succeeded', stripe_id = proof.stripe_id, lease_token = NULL,
        lease_until = NULL, reason = NULL, sentence = NULL, finished_at = :now
    FROM unnest(CAST(:ids AS uuid[]), CAST(:stripe_ids AS text[])) AS proof (id, stripe_id)
    WHERE operation.id = proof.id AND operation.state <> 'succeeded'
    RETURNING operation.id
"""


async def prove(tx: Tx, effects: Mapping[UUID, str], now: datetime) -> set[UUID]:
    """Complete operations whose effect a webhook proved; `effects`: operation -> Stripe's id."""
    if not effects:
        return set()
    rows = await tx.all(_PROVE, ids=list(effects), stripe_ids=list(effects.values()), now=now)
    return {row.id for row in rows}


_WALLETS_OF = "SELECT wallet FROM operation WHERE id = ANY (CAST(:ids AS uuid[]))"


async def wallets_of(tx: Tx, ids: Collection[UUID]) -> set[str]:
    """Wallets of operations; read before locking, since payees are locked before operations."""
    return {row.wallet for row in await tx.all(_WALLETS_OF, ids=list(ids))}


_LOCK = """
    SELECT id, kind, wallet, transfer_id, CAST(params AS text) AS params, amount, currency, stripe_account,
           parent_id, state, stripe_id, CAST(trace AS text) AS trace
    FROM operation WHERE id = ANY (CAST(:ids AS uuid[])) ORDER BY sequence, id FOR UPDATE
"""


async def lock(tx: Tx, ids: Collection[UUID]) -> dict[UUID, KnownOperation]:
    """Lock operations that Stripe's objects name; ids that are not ours are left out."""
    rows = await tx.all(_LOCK, ids=list(ids)) if ids else []
    return {row.id: _known(row) for row in rows}


def _known(row: Row[Any]) -> KnownOperation:
    return KnownOperation(
        id=row.id,
        kind=Kind(row.kind),
        wallet=row.wallet,
        transfer_id=row.transfer_id,
        params=orjson.loads(row.params),
        amount=row.amount,
        currency=row.currency,
        stripe_account=row.stripe_account,
        parent_id=row.parent_id,
        state=State(row.state),
        stripe_id=row.stripe_id,
        trace=Cause.kept(row.trace),
    )


_NEW_GENERATION = """
    UPDATE operation SET state = 'due', phase = 'send', generation = generation + 1, due_at = :now,
        first_sent_at = NULL, attempts = 0, server_errors = 0, lookups = 0, clean_lookups = 0,
        reason = NULL, sentence = NULL, finished_at = NULL, retry_at = NULL,
        retry_for = NULL
    WHERE id = ANY (CAST(:ids AS uuid[])) AND state = ANY (CAST(:states AS text[]))
    RETURNING transfer_id
"""


async def start_new_generation(
    tx: Tx, ids: Collection[UUID], states: Collection[State], now: datetime
) -> list[UUID]:
    """Have operations sent under a new key; the transfers they belong to.

    Only for operations of which an answer or a person proved that the last generation had no effect.
    """
    rows = await tx.all(_NEW_GENERATION, ids=list(ids), states=sorted(states), now=now)
    return [row.transfer_id for row in rows if row.transfer_id is not None]


_LOOK_UP_AGAIN = """
    UPDATE operation SET state = 'due', phase = 'look_up', due_at = :now, lookups = 0, clean_lookups = 0,
        reason = NULL, sentence = NULL, retry_at = NULL, retry_for = NULL
    WHERE id = :id AND state = 'parked'
"""


async def look_up_again(tx: Tx, operation_id: UUID, now: datetime) -> None:
    """Ask Stripe once more what became of a parked operation."""
    await tx.execute(_LOOK_UP_AGAIN, id=operation_id, now=now)


_HOLD_UNSENT = """
    UPDATE operation SET state = 'held', reason = hold.reason, sentence = hold.sentence
    FROM unnest(CAST(:wallets AS text[]), CAST(:reasons AS text[]), CAST(:sentences AS text[]))
        AS hold (wallet, reason, sentence)
    WHERE operation.wallet = hold.wallet AND kind = 'transfer' AND state = 'due' AND first_sent_at IS NULL
    RETURNING transfer_id, operation.wallet
"""


async def hold_unsent(tx: Tx, holds: Mapping[str, tuple[HoldReason, str]]) -> dict[UUID, str]:
    """Hold operations that were not sent yet, by wallet; transfer -> wallet of those that were held."""
    rows = await tx.all(
        _HOLD_UNSENT,
        wallets=list(holds),
        reasons=[str(reason) for reason, _ in holds.values()],
        sentences=[sentence for _, sentence in holds.values()],
    )
    return {row.transfer_id: row.wallet for row in rows}


_CANCEL = """
    UPDATE operation SET state = 'cancelled', reason = 'cancelled', sentence = :sentence, finished_at = :now
    WHERE transfer_id = ANY (CAST(:transfers AS uuid[])) AND kind = 'transfer'
      AND (state IN ('held', 'refused') OR state = 'due' AND first_sent_at IS NULL
           OR state = 'parked' AND :vouched)
    RETURNING transfer_id
"""


async def cancel(
    tx: Tx, transfers: Collection[UUID], sentence: str, now: datetime, *, vouched: bool = False
) -> list[UUID]:
    """Give up operations that had no effect; the transfers concerned.

    `vouched`: a person checked that a parked operation had no effect.
    """
    if not transfers:
        return []
    rows = await tx.all(_CANCEL, transfers=list(transfers), sentence=sentence, now=now, vouched=vouched)
    return [row.transfer_id for row in rows]


_PARKED = """
    SELECT id, kind, transfer_id FROM operation WHERE wallet = :wallet AND state = 'parked'
    ORDER BY sequence LIMIT 1 FOR UPDATE
"""


async def lock_parked(tx: Tx, wallet: str) -> ParkedOperation | None:
    """Lock the oldest parked operation of a payee, which is locked already."""
    row = await tx.first(_PARKED, wallet=wallet)
    return row and ParkedOperation(id=row.id, kind=Kind(row.kind), transfer_id=row.transfer_id)
