"""What led to a message, and the one form in which it is kept in a row. Pure: the standard library only."""

import json
from typing import NamedTuple
from uuid import UUID


class Cause(NamedTuple):
    """Carried from the first event to the last effect: the chain's id, its trace, the event before."""

    correlation_id: str
    traceparent: str
    event_id: UUID

    def document(self) -> dict[str, str]:
        """What a jsonb column keeps."""
        return {
            "correlation_id": self.correlation_id,
            "traceparent": self.traceparent,
            "event_id": str(self.event_id),
        }

    @classmethod
    def kept(cls, document: str) -> "Cause":
        """Read the text of such a column. Raises LookupError, TypeError or ValueError when it is none."""
        read = json.loads(document)
        return cls(read["correlation_id"], read["traceparent"], UUID(read["event_id"]))
