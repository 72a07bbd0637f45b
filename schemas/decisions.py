"""A person's decision, requested from the service that owns the object, and the service's answer.

Both topics are the audit and are kept for ever: they hold no secret, no address, and only the decider's name.
"""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import ConfigDict, Field

from schemas.fields import Event, Identifier, Instant, Sentence

Hash = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
_ID = "01890a5d-ac96-774b-bcce-b302099a8057"


class Who(Event):
    """Who decides: their name as the channel knows it, what they may do, and the channel itself."""

    name: Identifier
    roles: Annotated[list[Identifier], Field(max_length=20)]
    channel: Identifier


class DecisionRequested(Event):
    """One decision. Its id is the event's id (`ce_id`); its key is `<service>/<object>`.

    `preview_hash`: of the preview that the person saw; the service refuses the decision when it would now do
    anything else. `dry_run`: only say what would happen. After `valid_until` the service refuses it, so that
    nothing happens late when a worker was away.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "decision_id": _ID,
                    "service": "payouts",
                    "action": "release",
                    "object": "transfer:01890a5d-ac96-774b-bcce-b302099a8058",
                    "parameters": {},
                    "who": {"name": "ann", "roles": ["finance"], "channel": "command_line"},
                    "why": "the new account was confirmed by phone",
                    "preview_hash": "0" * 64,
                    "dry_run": False,
                    "requested_at": "2026-05-22T12:00:00Z",
                    "valid_until": "2026-05-22T12:01:00Z",
                }
            ]
        }
    )

    decision_id: UUID
    service: Identifier
    action: Identifier
    object: Identifier
    parameters: dict[str, Any] = Field(default_factory=dict)
    who: Who
    why: Sentence
    preview_hash: Hash | None = None
    dry_run: bool = False
    requested_at: Instant
    valid_until: Instant


class DecisionTaken(Event):
    """The answer: done, refused with a sentence, or previewed. `effects`: what was done, or would be.

    `who`: as whom they were taken, by `login`: of the database, that vouched for them; neither is known of
    answers of releases before.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "decision_id": _ID,
                    "service": "payouts",
                    "action": "release",
                    "object": "transfer:01890a5d-ac96-774b-bcce-b302099a8058",
                    "outcome": "done",
                    "sentence": "transfer 01890a5d-ac96-774b-bcce-b302099a8058 released: it is pending",
                    "effects": [],
                    "preview_hash": None,
                    "taken_at": "2026-05-22T12:00:01Z",
                    "who": "ann",
                    "login": "person_ann",
                }
            ]
        }
    )

    decision_id: UUID
    service: Identifier
    action: Identifier
    object: Identifier
    outcome: Literal["done", "refused", "previewed"]
    sentence: Sentence
    effects: Annotated[list[dict[str, Any]], Field(max_length=1_000)] = Field(default_factory=list)
    preview_hash: Hash | None = None
    taken_at: Instant
    who: Identifier | None = None
    login: Identifier | None = None
