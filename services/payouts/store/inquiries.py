"""SQL of what must be read again from Stripe, of webhooks kept for people, and of the relay's stop."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row

from fleet.database import Tx
from services.payouts.domain.relay import Stop
from services.payouts.domain.rereads import Inquiry, InquiryKind, Question
from services.payouts.store.json_rows import rows_json, trace_json, trace_of

# A fee is read once; an account or a list of reversals is read again whenever something hints at a change.
# A hint that arrives while a reading is under way clears the lease: that reading may be older than the hint.
_ASK = """
    INSERT INTO inquiry (kind, object_id, stripe_account, due_at, asked_at, trace)
    SELECT kind, object_id, stripe_account, after, :now, trace
    FROM jsonb_to_recordset(CAST(:questions AS jsonb)) AS question (
        kind text, object_id text, stripe_account text, after timestamptz, trace jsonb)
    ORDER BY kind, object_id
    ON CONFLICT (kind, object_id) DO UPDATE
        SET due_at = least(coalesce(inquiry.due_at, excluded.due_at), excluded.due_at), attempts = 0,
            asked_at = excluded.asked_at, trace = excluded.trace, lease_token = NULL, lease_until = NULL
        WHERE inquiry.kind IN ('account', 'reversals') OR inquiry.answered_at IS NULL
"""


async def ask(tx: Tx, questions: Sequence[Question], now: datetime) -> None:
    """Have objects read again; asked twice is read once."""
    unique = {(q.kind, q.object_id): q for q in sorted(questions, key=lambda q: q.after, reverse=True)}
    if not unique:
        return
    rows = [
        {
            "kind": q.kind,
            "object_id": q.object_id,
            "stripe_account": q.stripe_account,
            "after": q.after,
            "trace": trace_json(q.trace),
        }
        for q in unique.values()
    ]
    await tx.execute(_ASK, questions=rows_json(rows), now=now)


_CLAIM = """
    WITH due AS (
        SELECT kind, object_id FROM inquiry
        WHERE due_at <= :now AND (lease_until IS NULL OR lease_until < :now)
        ORDER BY due_at LIMIT :most FOR UPDATE SKIP LOCKED
    )
    UPDATE inquiry SET lease_token = gen_random_uuid(), lease_until = :until, attempts = attempts + 1
    FROM due WHERE inquiry.kind = due.kind AND inquiry.object_id = due.object_id
    RETURNING inquiry.kind, inquiry.object_id, stripe_account, attempts, lease_token,
              CAST(trace AS text) AS trace
"""


async def claim(tx: Tx, most: int, now: datetime, lease: timedelta) -> list[Inquiry]:
    """Lease what is due to be read."""
    rows = await tx.all(_CLAIM, most=most, now=now, until=now + lease)
    return [
        Inquiry(
            kind=InquiryKind(row.kind),
            object_id=row.object_id,
            stripe_account=row.stripe_account,
            attempts=row.attempts,
            token=row.lease_token,
            trace=trace_of(row.trace),
        )
        for row in rows
    ]


_ANSWERED = """
    UPDATE inquiry SET answered_at = :now, due_at = read_again_at, read_again_at = NULL, attempts = 0,
                       lease_token = NULL, lease_until = NULL, problem = NULL
    WHERE kind = :kind AND object_id = :object_id AND lease_token = :token RETURNING kind
"""
_READ_AGAIN = """
    UPDATE inquiry SET read_again_at = :at
    WHERE kind = :kind AND object_id = :object_id AND lease_token = :token
"""
_UNANSWERED = """
    UPDATE inquiry SET due_at = :next, lease_token = NULL, lease_until = NULL, problem = :problem
    WHERE kind = :kind AND object_id = :object_id AND lease_token = :token
"""


async def answered(tx: Tx, inquiry: Inquiry, now: datetime) -> bool:
    """Close a question; False when someone hinted meanwhile, and what was read may not be written."""
    row = await tx.first(
        _ANSWERED, kind=inquiry.kind, object_id=inquiry.object_id, token=inquiry.token, now=now
    )
    return row is not None


async def read_again(tx: Tx, inquiry: Inquiry, at: datetime) -> None:
    """Have an object read again at some time although nothing hints at it by then."""
    await tx.execute(_READ_AGAIN, kind=inquiry.kind, object_id=inquiry.object_id, token=inquiry.token, at=at)


async def unanswered(tx: Tx, inquiry: Inquiry, next_at: datetime, problem: str) -> None:
    """Try again later, and keep what went wrong for people to see."""
    await tx.execute(
        _UNANSWERED,
        kind=inquiry.kind,
        object_id=inquiry.object_id,
        token=inquiry.token,
        next=next_at,
        problem=problem[:1000],
    )


_KEEP = """
    INSERT INTO webhook_kept (event_id, event_type, account, reason, sentence, body, received_at)
    VALUES (:event_id, :event_type, :account, :reason, :sentence, :body, :received_at)
    ON CONFLICT (event_id) DO NOTHING
"""


async def keep_webhook(
    tx: Tx,
    *,
    event_id: str,
    event_type: str,
    account: str | None,
    reason: str,
    sentence: str,
    body: str,
    received_at: datetime,
) -> None:
    """Keep a webhook nobody here can act on, for a person."""
    await tx.execute(
        _KEEP,
        event_id=event_id,
        event_type=event_type,
        account=account,
        reason=reason,
        sentence=sentence,
        body=body,
        received_at=received_at,
    )


_STOP = """
    UPDATE relay_stop SET since = coalesce(since, :now), sentence = :sentence, probe_at = :probe_at
    RETURNING old.since AS was_since
"""


async def stop_relay(tx: Tx, sentence: str, now: datetime, probe_at: datetime) -> bool:
    """Keep every relay from calling Stripe; True when this is new."""
    return (await tx.one(_STOP, sentence=sentence, now=now, probe_at=probe_at)).was_since is None


async def resume_relay(tx: Tx) -> None:
    await tx.execute("UPDATE relay_stop SET since = NULL, sentence = NULL, probe_at = NULL")


async def relay_stop(tx: Tx) -> Stop | None:
    row: Row[Any] | None = await tx.first(
        "SELECT since, sentence, probe_at FROM relay_stop WHERE since IS NOT NULL"
    )
    return None if row is None else Stop(since=row.since, sentence=row.sentence, probe_at=row.probe_at)


_BALANCE_HELD = """
    SELECT id, amount, currency FROM operation
    WHERE state = 'held' AND reason = 'balance_insufficient' ORDER BY sequence LIMIT 1000
"""
_COMMITTED = """
    SELECT currency, sum(amount)::bigint AS amount FROM operation
    WHERE kind = 'transfer' AND state IN ('due', 'in_flight') AND currency = ANY (CAST(:currencies AS text[]))
      AND (state = 'in_flight' OR first_sent_at IS NOT NULL OR generation > 1)
    GROUP BY currency
"""


async def held_for_balance(tx: Tx) -> list[Row[Any]]:
    """Operations that wait for the school's Stripe balance, oldest first."""
    return await tx.all(_BALANCE_HELD)


async def committed(tx: Tx, currencies: Sequence[str]) -> dict[str, int]:
    """Money that operations under way will take from the balance."""
    rows = await tx.all(_COMMITTED, currencies=list(currencies))
    return {row.currency: row.amount for row in rows}
