"""SQL of Stripe's list of events: how far it was read, and which of them were not delivered."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row

from fleet.database import Tx
from services.payouts.domain.missed_events import EventListing, ListedEvent

_TIMES = "SELECT calm_since, completed_at, begun_at IS NOT NULL AS under_way FROM event_listing"


async def listed(tx: Tx) -> tuple[datetime, datetime, bool]:
    """Since when no event had to be recovered, when the list was read to its end, whether it is now."""
    row = await tx.one(_TIMES)
    return row.calm_since, row.completed_at, row.under_way


_DISTURB = "UPDATE event_listing SET calm_since = :now"


async def disturb(tx: Tx, now: datetime) -> None:
    """Note that an event was not delivered: the list is read often again."""
    await tx.execute(_DISTURB, now=now)


_BEGIN = """
    UPDATE event_listing SET begun_at = coalesce(begun_at, :now) RETURNING listed_until, begun_at, page_after
"""


async def begin_listing(tx: Tx, now: datetime) -> EventListing:
    """Begin a listing, or go on with the one that was broken off."""
    row = await tx.one(_BEGIN, now=now)
    return EventListing(listed_until=row.listed_until, begun_at=row.begun_at, page_after=row.page_after)


_TURN = """
    UPDATE event_listing SET page_after = :after
    WHERE begun_at = :begun_at AND page_after IS NOT DISTINCT FROM :was RETURNING only_row
"""


async def turn_page(tx: Tx, listing: EventListing, after: str | None) -> bool:
    """Move the place past a page; False when another process moved it meanwhile: then write nothing."""
    turned = await tx.first(_TURN, begun_at=listing.begun_at, was=listing.page_after, after=after)
    return turned is not None


_COMPLETE = """
    UPDATE event_listing SET listed_until = begun_at, begun_at = NULL, page_after = NULL, completed_at = :now
"""


async def complete_listing(tx: Tx, now: datetime) -> None:
    """Note that every event made before the listing began was listed."""
    await tx.execute(_COMPLETE, now=now)


_START_OVER = """
    UPDATE event_listing SET begun_at = NULL, page_after = NULL WHERE begun_at = :begun_at
"""


async def start_over(tx: Tx, listing: EventListing) -> None:
    """Forget the place in the list, because Stripe does not know it any more."""
    await tx.execute(_START_OVER, begun_at=listing.begun_at)


# An event was delivered when it is in the inbox, or a dead letter because it could not be read. A letter that
# nobody with the key wrote is no delivery: a stranger could keep events of Stripe's list from us. What was
# made before Kafka was lost must have reached receivables too: nobody else reads these events.
_NOTE = """
    INSERT INTO missed_event (event_id, event_key, event_type, made_at, noted_at, body)
    SELECT event_id, event_key, event_type, made_at, :now, body
    FROM unnest(CAST(:ids AS text[]), CAST(:keys AS uuid[]), CAST(:types AS text[]),
                CAST(:made AS timestamptz[]), CAST(:bodies AS text[]))
         AS listed (event_id, event_key, event_type, made_at, body)
    WHERE NOT EXISTS (SELECT FROM inbox WHERE inbox.event_key = listed.event_key)
      AND NOT EXISTS (SELECT FROM dead_letter
                      WHERE dead_letter.event_key = listed.event_key AND reason <> 'not_attested')
       OR made_at < (SELECT lost_before FROM event_listing)
      AND NOT EXISTS (SELECT FROM receivables_public.admitted_events AS taken
                      WHERE taken.event_key = listed.event_key)
      AND NOT EXISTS (SELECT FROM receivables_public.dead_letters AS letter
                      WHERE letter.event_key = listed.event_key AND letter.reason <> 'not_attested')
    ORDER BY event_id
    ON CONFLICT (event_id) DO NOTHING
"""


async def note_missing(tx: Tx, events: Sequence[ListedEvent], now: datetime) -> int:
    """Note which of the listed events were not delivered yet; how many are new."""
    return await tx.execute(
        _NOTE,
        ids=[event.event_id for event in events],
        keys=[event.event_key for event in events],
        types=[event.event_type for event in events],
        made=[event.made_at for event in events],
        bodies=[event.body for event in events],
        now=now,
    )


_ARRIVED = """
    DELETE FROM missed_event
    WHERE recovered_at IS NULL
      AND (EXISTS (SELECT FROM inbox WHERE inbox.event_key = missed_event.event_key)
           OR EXISTS (SELECT FROM dead_letter
                      WHERE dead_letter.event_key = missed_event.event_key AND reason <> 'not_attested'))
      AND (made_at >= coalesce((SELECT lost_before FROM event_listing), '-infinity')
           OR EXISTS (SELECT FROM receivables_public.admitted_events AS taken
                      WHERE taken.event_key = missed_event.event_key)
           OR EXISTS (SELECT FROM receivables_public.dead_letters AS letter
                      WHERE letter.event_key = missed_event.event_key AND letter.reason <> 'not_attested'))
"""


async def forget_arrived(tx: Tx) -> int:
    """Forget events that were delivered after they were noted; how many."""
    return await tx.execute(_ARRIVED)


_RECOVER = """
    WITH due AS (
        SELECT event_id FROM missed_event WHERE recovered_at IS NULL AND noted_at <= :noted_before
        ORDER BY made_at, event_id LIMIT :most FOR UPDATE SKIP LOCKED
    )
    UPDATE missed_event SET recovered_at = :now, body = NULL FROM due
    WHERE missed_event.event_id = due.event_id
    RETURNING missed_event.event_id, event_key, event_type, made_at, old.body AS body
"""


async def recover(tx: Tx, noted_before: datetime, now: datetime, most: int) -> list[ListedEvent]:
    """Mark events noted before that time as published, oldest first; the caller publishes them."""
    rows: list[Row[Any]] = await tx.all(_RECOVER, noted_before=noted_before, now=now, most=most)
    events = [
        ListedEvent(
            event_id=row.event_id,
            event_key=row.event_key,
            event_type=row.event_type,
            made_at=row.made_at,
            body=row.body,
        )
        for row in rows
    ]
    return sorted(events, key=lambda event: (event.made_at, event.event_id))
