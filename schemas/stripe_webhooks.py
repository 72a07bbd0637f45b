"""A Stripe event with a verified origin; a replay cannot verify it again, so the record says so (attested).

The gateway attests events whose signature it verified, payouts those that it read from Stripe with our key.
Both use the functions here: an event's object, and the content that a repeat must have.
"""

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Annotated, Any, Final, Literal

from pydantic import ConfigDict, StringConstraints

from schemas.fields import Event, Identifier, Instant

SOURCE: Final = "stripe"
THIN: Final = "v2.core.event"  # an event that names its object and does not carry it


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


def object_of(event: Mapping[str, Any]) -> str | None:
    """The id of the Stripe object an event is about; its events share a partition. A balance has none."""
    data = event.get("data")
    subject = data.get("object") if isinstance(data, Mapping) else None
    if event.get("object") == THIN:
        subject = event.get("related_object")
    name = subject.get("id") if isinstance(subject, Mapping) else None
    return name if isinstance(name, str) and 0 < len(name) <= 100 else None


def content_of(event: Mapping[str, Any]) -> str:
    """Hash the content that is the same in every rendering of one Stripe event.

    Stripe counts `pending_webhooks` down between deliveries and renders `data` in the API version of each
    endpoint, but what /v1/events lists in the account's version of that day.
    """
    said = [event.get(name) for name in ("id", "type", "account", "livemode", "created")]
    return sha256(json.dumps([*said, object_of(event)], sort_keys=True).encode()).hexdigest()
