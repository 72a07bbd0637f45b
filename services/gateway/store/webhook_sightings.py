"""The statement about which kinds of events Stripe sent."""

from collections.abc import Sequence

from fleet.database import Tx
from services.gateway.domain.sightings import Sighting

_ADD = """
    INSERT INTO webhook_sighting AS known (endpoint, verdict, livemode, reading, api_version, events,
                                           last_event_id, last_event_type, first_seen_at, last_seen_at)
    SELECT endpoint, verdict, livemode, reading, api_version, events, event_id, event_type, seen_at, seen_at
    FROM unnest(CAST(:endpoints AS text[]), CAST(:verdicts AS text[]), CAST(:livemodes AS boolean[]),
                CAST(:readings AS text[]), CAST(:versions AS text[]), CAST(:events AS bigint[]),
                CAST(:event_ids AS text[]), CAST(:event_types AS text[]), CAST(:seen_at AS timestamptz[]))
         AS seen (endpoint, verdict, livemode, reading, api_version, events, event_id, event_type, seen_at)
    ORDER BY endpoint, verdict, livemode, reading, api_version
    ON CONFLICT (endpoint, verdict, livemode, reading, api_version) DO UPDATE
    SET events = known.events + excluded.events, last_event_id = excluded.last_event_id,
        last_event_type = excluded.last_event_type,
        last_seen_at = greatest(known.last_seen_at, excluded.last_seen_at)
"""


async def add(tx: Tx, counted: Sequence[tuple[int, Sighting]]) -> None:
    """Add counts of events, each with the latest of its kind; each kind once."""
    seen = [sighting for _, sighting in counted]
    await tx.execute(
        _ADD,
        endpoints=[one.endpoint for one in seen],
        verdicts=[str(one.verdict) for one in seen],
        livemodes=[one.livemode for one in seen],
        readings=[str(one.reading) for one in seen],
        versions=[one.api_version for one in seen],
        events=[events for events, _ in counted],
        event_ids=[one.event_id for one in seen],
        event_types=[one.event_type for one in seen],
        seen_at=[one.seen_at for one in seen],
    )
