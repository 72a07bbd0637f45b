"""SQL of objects of Stripe's that were not believed, until they read well or a person closes them."""

from collections.abc import Collection, Sequence
from datetime import datetime

from fleet.database import Tx, json_parameter
from services.payouts.domain.odd_objects import OddObject

# One that a person closed is opened again only when Stripe shows it differently.
_KEEP = """
    INSERT INTO odd_object (kind, object_id, stripe_account, sentence, body, first_seen_at, last_seen_at)
    SELECT DISTINCT ON (kind, object_id) kind, object_id, stripe_account, sentence, body, :now, :now
    FROM jsonb_to_recordset(CAST(:odd AS jsonb)) AS seen (
        kind text, object_id text, stripe_account text, sentence text, body text)
    ORDER BY kind, object_id
    ON CONFLICT (kind, object_id) DO UPDATE
        SET sentence = excluded.sentence, body = excluded.body, last_seen_at = excluded.last_seen_at,
            times = odd_object.times + 1,
            closed_at = CASE WHEN odd_object.body = excluded.body THEN odd_object.closed_at END,
            closed_by = CASE WHEN odd_object.body = excluded.body THEN odd_object.closed_by END
    RETURNING kind, object_id, old.object_id IS NULL OR new.closed_at IS NULL AND old.closed_at IS NOT NULL
        AS is_new
"""


async def keep(tx: Tx, odd: Sequence[OddObject], now: datetime) -> list[OddObject]:
    """Keep odd objects; those that were not known before, or that a person closed and that changed since."""
    if not odd:
        return []
    rows = [{name: getattr(one, name) for name in OddObject.__slots__} for one in odd]
    kept = await tx.all(_KEEP, odd=json_parameter(rows), now=now)
    new = {(row.kind, row.object_id) for row in kept if row.is_new}
    return list({(o.kind, o.object_id): o for o in odd if (o.kind, o.object_id) in new}.values())


_FORGET = "DELETE FROM odd_object WHERE kind = :kind AND object_id = ANY (CAST(:ids AS text[]))"


async def forget(tx: Tx, kind: str, ids: Collection[str]) -> None:
    """Forget objects that read well by now."""
    if ids:
        await tx.execute(_FORGET, kind=kind, ids=sorted(ids))


_CLOSE = """
    UPDATE odd_object SET closed_at = :now, closed_by = :actor
    WHERE object_id = :id AND closed_at IS NULL RETURNING kind, sentence
"""


async def close(tx: Tx, object_id: str, actor: str, now: datetime) -> list[str]:
    """Note that a person dealt with an object; what was odd about it, empty when none is open."""
    rows = await tx.all(_CLOSE, id=object_id, actor=actor, now=now)
    return [f"{row.kind}: {row.sentence}" for row in rows]


_OPEN = "SELECT count(*) AS n FROM odd_object WHERE closed_at IS NULL"


async def count_open(tx: Tx) -> int:
    """How many odd objects wait for a person."""
    return int((await tx.one(_OPEN)).n)
