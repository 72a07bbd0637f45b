"""The statements about revisions that came before their turn; each keeps its record, whole."""

import base64
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row

from fleet.admitted import Admitted
from fleet.cause import Cause
from fleet.database import Tx, json_parameter
from fleet.envelope import Record
from services.billing.domain.revisions import Revision

_KEEP = """
    INSERT INTO waiting_revision (flight_id, revision, fingerprint, reason, made_by, topic, partition,
                                  "offset", key, value, headers, published_at, event_key, cause)
    SELECT flight_id, revision, fingerprint, reason, made_by, topic, partition, "offset",
           decode(key, 'base64'), decode(value, 'base64'), headers, published_at, event_key, cause
    FROM jsonb_to_recordset(CAST(:revisions AS jsonb)) AS revision (
        flight_id text, revision integer, fingerprint text, reason text, made_by text, topic text,
        partition integer, "offset" bigint, key text, value text, headers jsonb, published_at timestamptz,
        event_key uuid, cause jsonb)
    ORDER BY flight_id, revision
    ON CONFLICT DO NOTHING
    RETURNING event_key
"""


async def keep(tx: Tx, early: Collection[Admitted[Revision]]) -> set[Any]:
    """Keep revisions until their turn; the event keys of those kept. The others' places are taken."""
    if not early:
        return set()
    rows = await tx.all(_KEEP, revisions=json_parameter([_row(admitted) for admitted in early]))
    return {row.event_key for row in rows}


def _row(admitted: Admitted[Revision]) -> dict[str, Any]:
    revision, record = admitted.event, admitted.record
    return {
        "flight_id": revision.flight_id,
        "revision": revision.revision,
        "fingerprint": revision.fingerprint(),
        "reason": revision.reason,
        "made_by": revision.made_by,
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
        "key": _base64(record.key),
        "value": _base64(record.value),
        "headers": dict(record.headers),
        "published_at": record.timestamp,
        "event_key": admitted.event_key,
        "cause": admitted.cause.document(),
    }


def _base64(value: bytes | None) -> str | None:
    return None if value is None else base64.b64encode(value).decode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A revision that waits, as its record was read."""

    flight_id: str
    revision: int
    fingerprint: str
    admitted: Admitted[None]


_COLUMNS_OF_FLIGHTS = """
    SELECT flight_id, revision, fingerprint, topic, partition, "offset", key, value, headers, published_at,
           event_key, cause::text AS cause
    FROM waiting_revision
    WHERE flight_id = ANY (CAST(:flight_ids AS text[]))
    ORDER BY flight_id, revision
    FOR UPDATE
"""


async def lock_of_flights(tx: Tx, flight_ids: Collection[str]) -> list[Kept]:
    """Take what waits of these flights, in the order of their revisions."""
    rows = await tx.all(_COLUMNS_OF_FLIGHTS, flight_ids=sorted(flight_ids))
    return [_kept(row) for row in rows]


def _kept(row: Row[Any]) -> Kept:
    record = Record(
        topic=row.topic,
        partition=row.partition,
        offset=row.offset,
        key=None if row.key is None else bytes(row.key),
        value=None if row.value is None else bytes(row.value),
        headers=row.headers,
        timestamp=row.published_at,
    )
    return Kept(
        flight_id=row.flight_id,
        revision=row.revision,
        fingerprint=row.fingerprint,
        admitted=Admitted(None, record, row.event_key, Cause.kept(row.cause)),
    )


_FORGET = """
    DELETE FROM waiting_revision
    USING unnest(CAST(:flight_ids AS text[]), CAST(:revisions AS integer[])) AS done (flight_id, revision)
    WHERE waiting_revision.flight_id = done.flight_id AND waiting_revision.revision = done.revision
"""


async def forget(tx: Tx, decided: Iterable[tuple[str, int]]) -> None:
    """Take away what waits no more; every one has its bill, its dead letter or its cancellation now."""
    places = sorted(decided)
    if places:
        await tx.execute(_FORGET, flight_ids=[id for id, _ in places], revisions=[n for _, n in places])


# What a handler applied is not among them: these are left when two processes did not see each other's rows.
_READY = """
    SELECT flight_id FROM waiting_revision AS waiting
    WHERE EXISTS (SELECT FROM bill WHERE bill.flight_id = waiting.flight_id
                  AND bill.revision >= waiting.revision - 1)
       OR EXISTS (SELECT FROM cancelled_flight AS cancelled WHERE cancelled.flight_id = waiting.flight_id
                  AND cancelled.revision >= waiting.revision - 1)
       OR EXISTS (SELECT FROM dead_letter
                  WHERE substring(subject FROM '^flight:(.*):[0-9]+$') = waiting.flight_id
                    AND state IN ('open', 'discarded')
                    AND topic IN ('flight.completed', 'flight.corrected', 'flight.cancelled')
                    AND substring(subject FROM ':([0-9]{1,9})$')::integer = waiting.revision - 1)
    GROUP BY flight_id ORDER BY flight_id LIMIT :most
"""


async def ready(tx: Tx, *, most: int) -> list[str]:
    """Flights of which a revision may have become due."""
    return [row.flight_id for row in await tx.all(_READY, most=most)]


_COUNT = """
    SELECT count(*) AS waiting,
           coalesce(extract(epoch FROM now() - min(kept_at)), 0)::bigint AS age_s
    FROM waiting_revision
"""


async def count(tx: Tx) -> tuple[int, int]:
    """How many revisions wait, and for how many seconds the oldest has."""
    row = await tx.one(_COUNT)
    return row.waiting, row.age_s
