"""SQL of Stripe's objects that are to be read again; their table is called inquiry."""

from collections.abc import Sequence
from datetime import datetime, timedelta

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
            asked_at = excluded.asked_at, trace = excluded.trace, lease_token = NULL, lease_until = NULL
        WHERE inquiry.kind IN ('account', 'reversals') OR inquiry.answered_at IS NULL
"""


async def request(tx: Tx, requests: Sequence[RereadRequest], now: datetime) -> None:
    """Have objects read again; one that is requested several times is read once, at the earliest time."""
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


async def claim(tx: Tx, most: int, now: datetime, lease: timedelta) -> list[Reread]:
    """Lease up to `most` objects that are due to be read."""
    rows = await tx.all(_CLAIM, most=most, now=now, until=now + lease)
    return [
        Reread(
            kind=RereadKind(row.kind),
            object_id=row.object_id,
            stripe_account=row.stripe_account,
            attempts=row.attempts,
            token=row.lease_token,
            trace=Cause.kept(row.trace),
        )
        for row in rows
    ]


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
    UPDATE inquiry SET read_again_at = :at
    WHERE kind = :kind AND object_id = :object_id AND lease_token = :token
"""


async def schedule_next(tx: Tx, reread: Reread, at: datetime) -> None:
    """Have an object read again at that time, although no webhook may have named it by then."""
    await tx.execute(_SCHEDULE_NEXT, kind=reread.kind, object_id=reread.object_id, token=reread.token, at=at)


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
