"""The event that led to a change: its ids go out again with everything that follows."""

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """Whatever event led here: it goes out again with everything that follows."""

    correlation_id: str
    traceparent: str
    event_id: UUID
