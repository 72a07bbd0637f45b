"""A Stripe webhook whose signature the gateway verified; replays cannot verify it, so it is attested."""

from typing import Annotated, Literal

from pydantic import ConfigDict, StringConstraints

from schemas.fields import Event, Identifier, Instant


class StripeWebhook(Event):
    """The raw body as received, with what the gateway read from it. `account` is set on Connect events."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "event_id": "evt_123",
                    "event_type": "account.updated",
                    "endpoint": "connect",
                    "account": "acct_123",
                    "livemode": False,
                    "created_at": "2026-05-22T12:00:00Z",
                    "received_at": "2026-05-22T12:00:01Z",
                    "attested": True,
                    "body": '{"id": "evt_123", "object": "event", "type": "account.updated"}',
                }
            ]
        }
    )

    event_id: Identifier
    event_type: Identifier
    endpoint: Literal["platform", "connect"]
    account: Identifier | None = None
    livemode: bool
    created_at: Instant
    received_at: Instant
    attested: Literal[True]
    body: Annotated[str, StringConstraints(max_length=1_048_576)]
