"""Every SQL statement of the gateway."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from fleet.database import Tx
from services.gateway.domain.flights import ApiKey, FlightOffered


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyListed:
    """An API key as an operator sees it."""

    key_id: int
    name: str
    hint: str
    scopes: list[str]
    created_at: datetime
    created_by: str
    last_used_at: datetime | None
    revoked_at: datetime | None
    revoked_by: str | None


async def use_key(tx: Tx, key_hash: bytes) -> ApiKey | None:
    """Find a key by its hash and note, at most once a minute, that it was used."""
    row = await tx.first(
        "SELECT key_id, name, scopes, revoked_at IS NOT NULL AS revoked FROM api_key WHERE key_hash = :hash",
        hash=key_hash,
    )
    if row is None:
        return None
    if not row.revoked:
        await tx.execute(
            """
            UPDATE api_key SET last_used_at = now()
            WHERE key_id = :key_id AND (last_used_at IS NULL OR last_used_at < now() - interval '1 minute')
            """,
            key_id=row.key_id,
        )
    return ApiKey(key_id=row.key_id, name=row.name, scopes=frozenset(row.scopes), revoked=row.revoked)


async def insert_key(
    tx: Tx, *, name: str, key_hash: bytes, hint: str, scopes: Sequence[str], created_by: str
) -> int | None:
    """Keep a new key's hash; None when a living key has that name."""
    row = await tx.first(
        """
        INSERT INTO api_key (name, key_hash, hint, scopes, created_by)
        VALUES (:name, :hash, :hint, CAST(:scopes AS text[]), :created_by)
        ON CONFLICT (name) WHERE revoked_at IS NULL DO NOTHING
        RETURNING key_id
        """,
        name=name,
        hash=key_hash,
        hint=hint,
        scopes=list(scopes),
        created_by=created_by,
    )
    return int(row.key_id) if row else None


async def list_keys(tx: Tx) -> list[KeyListed]:
    rows = await tx.all(
        """
        SELECT key_id, name, hint, scopes, created_at, created_by, last_used_at, revoked_at, revoked_by
        FROM api_key ORDER BY key_id
        """
    )
    return [KeyListed(**row._mapping) for row in rows]


async def revoke_keys(tx: Tx, *, name: str, revoked_by: str) -> list[int]:
    """Revoke the living key of that name; the ids revoked now."""
    rows = await tx.all(
        """
        UPDATE api_key SET revoked_at = now(), revoked_by = :revoked_by
        WHERE name = :name AND revoked_at IS NULL
        RETURNING key_id
        """,
        name=name,
        revoked_by=revoked_by,
    )
    return [int(row.key_id) for row in rows]


async def known_flights(tx: Tx, offered: Sequence[FlightOffered]) -> dict[UUID, bytes]:
    """The content hash of each offered event that was accepted before."""
    rows = await tx.all(
        "SELECT event_id, content_hash FROM accepted_flight WHERE event_id = ANY(CAST(:ids AS uuid[]))",
        ids=[flight.event_id for flight in offered],
    )
    return {row.event_id: row.content_hash for row in rows}


async def lock_flights(tx: Tx, offered: Sequence[FlightOffered]) -> None:
    """Let one request at a time decide about an event, in id order so that two never wait for each other."""
    await tx.all(
        """
        SELECT pg_advisory_xact_lock(key)
        FROM (SELECT DISTINCT hashtextextended(id::text, 0) AS key
              FROM unnest(CAST(:ids AS uuid[])) AS offered (id) ORDER BY key) AS keys
        """,
        ids=[flight.event_id for flight in offered],
    )


async def insert_flights(tx: Tx, flights: Sequence[FlightOffered], key_id: int) -> None:
    """Remember what was accepted, so that a repeat with other content is noticed."""
    await tx.execute(
        """
        INSERT INTO accepted_flight (event_id, topic, flight_id, revision, content_hash, key_id)
        SELECT event_id, topic, flight_id, revision, content_hash, :key_id
        FROM unnest(CAST(:event_ids AS uuid[]), CAST(:topics AS text[]), CAST(:flight_ids AS text[]),
                    CAST(:revisions AS integer[]), CAST(:hashes AS bytea[]))
             AS offered (event_id, topic, flight_id, revision, content_hash)
        """,
        key_id=key_id,
        event_ids=[flight.event_id for flight in flights],
        topics=[flight.topic for flight in flights],
        flight_ids=[flight.flight_id for flight in flights],
        revisions=[flight.revision for flight in flights],
        hashes=[flight.content_hash for flight in flights],
    )
