"""Stripe's list of events, and the place up to which it was read."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class EventListing:
    """A listing under way: what was made since `listed_until`, newest first, after event `page_after`."""

    listed_until: datetime
    begun_at: datetime
    page_after: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedEvent:
    """An event as Stripe lists it. `event_key` is how the inbox names it."""

    event_id: str
    event_key: UUID
    event_type: str
    made_at: datetime
    body: str
