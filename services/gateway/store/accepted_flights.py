"""The statements about flights that were accepted over HTTP."""

from collections.abc import Sequence
from uuid import UUID

from fleet.database import Tx
from services.gateway.domain.flights import FlightOffered

_KNOWN = "SELECT event_id, content_hash FROM accepted_flight WHERE event_id = ANY (CAST(:ids AS uuid[]))"


async def known(tx: Tx, offered: Sequence[FlightOffered]) -> dict[UUID, bytes]:
    """The content hash of each offered event that was accepted before."""
    rows = await tx.all(_KNOWN, ids=[flight.event_id for flight in offered])
    return {row.event_id: row.content_hash for row in rows}


_LOCK = """
    SELECT pg_advisory_xact_lock(key)
    FROM (SELECT DISTINCT hashtextextended(id::text, 0) AS key
          FROM unnest(CAST(:ids AS uuid[])) AS offered (id) ORDER BY key) AS keys
"""


async def lock(tx: Tx, offered: Sequence[FlightOffered]) -> None:
    """Let one request at a time decide about an event, in id order so that two never wait for each other."""
    await tx.all(_LOCK, ids=[flight.event_id for flight in offered])


_INSERT = """
    INSERT INTO accepted_flight (event_id, topic, flight_id, revision, content_hash, key_id)
    SELECT event_id, topic, flight_id, revision, content_hash, :key_id
    FROM unnest(CAST(:event_ids AS uuid[]), CAST(:topics AS text[]), CAST(:flight_ids AS text[]),
                CAST(:revisions AS integer[]), CAST(:hashes AS bytea[]))
         AS offered (event_id, topic, flight_id, revision, content_hash)
"""


async def insert(tx: Tx, flights: Sequence[FlightOffered], key_id: int) -> None:
    """Remember what was accepted, so that a repeat with other content is noticed."""
    await tx.execute(
        _INSERT,
        key_id=key_id,
        event_ids=[flight.event_id for flight in flights],
        topics=[flight.topic for flight in flights],
        flight_ids=[flight.flight_id for flight in flights],
        revisions=[flight.revision for flight in flights],
        hashes=[flight.content_hash for flight in flights],
    )
