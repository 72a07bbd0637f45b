"""The statements about API keys."""

from collections.abc import Sequence
from datetime import datetime

from fleet.database import Tx
from services.gateway.domain.api_keys import ApiKey

_FIND = """
    SELECT key_id, name, scopes, revoked_at IS NOT NULL OR coalesce(expires_at <= now(), false) AS over,
           coalesce(last_used_at >= now() - interval '1 minute', false) AS noted
    FROM api_key WHERE key_hash = :hash
"""
_NOTE_USE = """
    UPDATE api_key SET last_used_at = now()
    WHERE key_id = :key_id AND (last_used_at IS NULL OR last_used_at < now() - interval '1 minute')
"""


async def use(tx: Tx, key_hash: bytes) -> ApiKey | None:
    """Find a key by its hash and note, at most once a minute, that it was used."""
    row = await tx.first(_FIND, hash=key_hash)
    if row is None:
        return None
    if not (row.over or row.noted):
        await note_use(tx, row.key_id)
    return ApiKey(key_id=row.key_id, name=row.name, scopes=frozenset(row.scopes), over=row.over)


async def note_use(tx: Tx, key_id: int) -> None:
    """Note, at most once a minute, that a key was used."""
    await tx.execute(_NOTE_USE, key_id=key_id)


_INSERT = """
    INSERT INTO api_key (name, key_hash, hint, scopes, created_by, expires_at)
    VALUES (:name, :hash, :hint, CAST(:scopes AS text[]), :created_by, :expires_at)
    ON CONFLICT DO NOTHING
    RETURNING key_id
"""


async def insert(
    tx: Tx,
    *,
    name: str,
    key_hash: bytes,
    hint: str,
    scopes: Sequence[str],
    created_by: str,
    expires_at: datetime | None = None,
) -> int | None:
    """Keep a new key's hash; None when a key that is not revoked has that name, or any key that hash."""
    row = await tx.first(
        _INSERT,
        name=name,
        hash=key_hash,
        hint=hint,
        scopes=list(scopes),
        created_by=created_by,
        expires_at=expires_at,
    )
    return int(row.key_id) if row else None


_REVOKE = """
    UPDATE api_key SET revoked_at = now(), revoked_by = :revoked_by
    WHERE name = :name AND revoked_at IS NULL
    RETURNING hint
"""


async def revoke(tx: Tx, *, name: str, revoked_by: str) -> str | None:
    """Revoke the living key of that name; its hint, or None when no living key has the name."""
    row = await tx.first(_REVOKE, name=name, revoked_by=revoked_by)
    return str(row.hint) if row else None
