"""SQL of Stripe's objects that are to be read again; their table is called inquiry."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row

from fleet.cause import Cause
from fleet.database import Tx, json_parameter
from services.payouts.domain.rereads import Reread, RereadKind, RereadRequest

# A fee is read once; an account or a list of reversals is read again whenever a webhook says that it changed.
# A webhook that arrives while the object is being read clears the lease: what is read may be older than it.
_REQUEST = """
    INSERT INTO inquiry (kind, object_id, stripe_account, due_at, asked_at, trace)
    SELECT kind, object_id, stripe_account, after, :now, trace
    FROM jsonb_to_recordset(CAST(:requests AS jsonb)) AS request (
        kind text, object_id text, stripe_account text, after timestamptz, trace jsonb)
    ORDER BY kind, object_id
    ON CONFLICT (kind, object_id) DO UPDATE
        SET due_at = least(coalesce(inquiry.due_at, excluded.due_at), excluded.due_at), attempts = 0,
            asked_at = excluded.asked_at, trace = excluded.trace, lease_token = NULL, lease_until = NULL,
            ended_at = NULL, ended_because = NULL
        WHERE inquiry.kind IN ('account', 'reversals') OR inquiry.answered_at IS NULL
"""


async def request(tx: Tx, requests: Sequence[RereadRequest], now: datetime) -> None:
    """Have objects read again; one that is requested several times is read once, at the earliest time.

    One that nobody read any more is read again, and waits grow from now.
    """
    unique = {(r.kind, r.object_id): r for r in sorted(requests, key=lambda r: r.after, reverse=True)}
    if not unique:
        return
    rows = [
        {
            "kind": r.kind,
            "object_id": r.object_id,
            "stripe_account": r.stripe_account,
            "after": r.after,
            "trace": r.trace.document(),
        }
        for r in unique.values()
    ]
    await tx.execute(_REQUEST, requests=json_parameter(rows), now=now)


# While Stripe refuses our key nothing is read.
_CLAIM = """
    WITH due AS (
        SELECT kind, object_id FROM inquiry
        WHERE due_at <= :now AND (lease_until IS NULL OR lease_until < :now)
          AND NOT EXISTS (SELECT FROM relay_stop WHERE since IS NOT NULL)
        ORDER BY due_at LIMIT :most FOR UPDATE SKIP LOCKED
    )
    UPDATE inquiry SET lease_token = gen_random_uuid(), lease_until = :until, attempts = attempts + 1
    FROM due WHERE inquiry.kind = due.kind AND inquiry.object_id = due.object_id
    RETURNING inquiry.kind, inquiry.object_id, stripe_account, attempts, lease_token, asked_at,
              CAST(trace AS text) AS trace
"""


async def claim(tx: Tx, most: int, now: datetime, lease: timedelta) -> list[Reread]:
    """Lease up to `most` objects that are due to be read."""
    rows = await tx.all(_CLAIM, most=most, now=now, until=now + lease)
    return [_reread(row) for row in rows]


_CLAIM_EARLY = """
    WITH due AS (
        SELECT kind, object_id FROM inquiry
        WHERE kind = 'account' AND due_at <= CAST(:now AS timestamptz) + (:now - answered_at)
          AND (lease_until IS NULL OR lease_until < :now)
        ORDER BY due_at LIMIT :most FOR UPDATE SKIP LOCKED
    )
    UPDATE inquiry SET lease_token = gen_random_uuid(), lease_until = :until, attempts = attempts + 1
    FROM due WHERE inquiry.kind = due.kind AND inquiry.object_id = due.object_id
    RETURNING inquiry.kind, inquiry.object_id, stripe_account, attempts, lease_token, asked_at,
              CAST(trace AS text) AS trace
"""


async def claim_early(tx: Tx, most: int, now: datetime, lease: timedelta) -> list[Reread]:
    """Lease accounts that have waited for at least half of their time, to be read by another's list call."""
    rows = await tx.all(_CLAIM_EARLY, most=most, now=now, until=now + lease)
    return [_reread(row) for row in rows]


def _reread(row: Row[Any]) -> Reread:
    return Reread(
        kind=RereadKind(row.kind),
        object_id=row.object_id,
        stripe_account=row.stripe_account,
        attempts=row.attempts,
        token=row.lease_token,
        asked_at=row.asked_at,
        trace=Cause.kept(row.trace),
    )


_CLOSE = """
    UPDATE inquiry SET answered_at = :now, due_at = read_again_at, read_again_at = NULL, attempts = 0,
                       lease_token = NULL, lease_until = NULL, problem = NULL
    WHERE kind = :kind AND object_id = :object_id AND lease_token = :token RETURNING kind
"""


async def close(tx: Tx, reread: Reread, now: datetime) -> bool:
    """Note that an object was read; False when it was requested again meanwhile: then write nothing of it."""
    row = await tx.first(_CLOSE, kind=reread.kind, object_id=reread.object_id, token=reread.token, now=now)
    return row is not None


_SCHEDULE_NEXT = """
    UPDATE inquiry SET read_again_at = :at, asked_at = coalesce(:changed_at, asked_at)
    WHERE kind = :kind AND object_id = :object_id AND lease_token = :token
"""


async def schedule_next(tx: Tx, reread: Reread, at: datetime, changed_at: datetime | None) -> None:
    """Have an object read again at that time, although no webhook may have named it by then.

    `changed_at`: when it was found to have changed, from which waits grow.
    """
    await tx.execute(
        _SCHEDULE_NEXT,
        kind=reread.kind,
        object_id=reread.object_id,
        token=reread.token,
        at=at,
        changed_at=changed_at,
    )


_PUT_OFF = """
    UPDATE inquiry SET due_at = :next, lease_token = NULL, lease_until = NULL, problem = :problem
    WHERE kind = :kind AND object_id = :object_id AND lease_token = :token
"""


async def put_off(tx: Tx, reread: Reread, next_at: datetime, problem: str) -> None:
    """Read an object later, and keep why it could not be read now."""
    await tx.execute(
        _PUT_OFF,
        kind=reread.kind,
        object_id=reread.object_id,
        token=reread.token,
        next=next_at,
        problem=problem[:1000],
    )


_END = """
    UPDATE inquiry SET ended_at = :now, ended_because = :sentence, due_at = NULL, read_again_at = NULL,
                       lease_token = NULL, lease_until = NULL
    WHERE kind = :kind AND object_id = :object_id AND lease_token = :token RETURNING kind
"""


async def end(tx: Tx, reread: Reread, now: datetime, sentence: str) -> bool:
    """Read an object no more until somebody says that it changed, and keep why; False: somebody just did."""
    row = await tx.first(
        _END,
        kind=reread.kind,
        object_id=reread.object_id,
        token=reread.token,
        now=now,
        sentence=sentence[:1000],
    )
    return row is not None


_END_AFTER_THIS = """
    UPDATE inquiry SET ended_at = :now, ended_because = :sentence
    WHERE kind = :kind AND object_id = :object_id AND lease_token = :token
"""


async def end_after_this(tx: Tx, reread: Reread, now: datetime, sentence: str) -> None:
    """Keep why an object is not read again after this reading, which is written."""
    await tx.execute(
        _END_AFTER_THIS,
        kind=reread.kind,
        object_id=reread.object_id,
        token=reread.token,
        now=now,
        sentence=sentence,
    )


_READ_UNREADY = """
    UPDATE inquiry SET due_at = :now, ended_at = NULL, ended_because = NULL
    FROM payee
    WHERE payee.stripe_account = inquiry.object_id AND NOT payee.ready AND inquiry.kind = 'account'
      AND (inquiry.due_at > :now OR inquiry.ended_at IS NOT NULL)
"""


async def read_unready(tx: Tx, now: datetime) -> None:
    """Have every account that is not ready read now, once more: its waits go on as they were."""
    await tx.execute(_READ_UNREADY, now=now)
