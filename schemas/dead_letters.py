"""A record that a service could not read, or refused; and one that is sent to its service again."""

from uuid import UUID

from pydantic import ConfigDict

from schemas.fields import Event, Identifier, Instant, Sentence


class DeadLettered(Event):
    """Where the record came from, why it stopped and how often; its bytes stay in the service's table."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "dead_letter_id": "01890a5d-ac96-774b-bcce-b302099a8057",
                    "service": "billing",
                    "topic": "flight.completed",
                    "partition": 3,
                    "offset": 42,
                    "reason": "unknown_aircraft",
                    "sentence": "flight F123: no rate card for aircraft N0",
                    "subject": "flight:F123:1",
                    "attempts": 1,
                    "last_seen_at": "2026-05-22T12:00:00Z",
                }
            ]
        }
    )

    dead_letter_id: UUID
    service: Identifier
    topic: Identifier
    partition: int
    offset: int
    reason: Identifier
    sentence: Sentence
    subject: Identifier | None = None
    attempts: int
    last_seen_at: Instant


class Redriven(Event):
    """The record of another topic as it was, to the service that could not handle it; headers say which.

    `hobbs_redriven_topic`, `hobbs_redriven_place` (partition:offset). Its body is whatever that record was,
    and is read as that topic's.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [{}]})
