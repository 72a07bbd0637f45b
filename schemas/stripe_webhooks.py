"""A Stripe event with a verified origin; a replay cannot verify it again, so the record says so (attested).

The gateway attests events whose signature it verified, payouts those that it read from Stripe with our key.
Both use the functions here: an event's object, and the content that a repeat must have.

Stripe's events have two payloads. A snapshot (`object` is `event`) carries its object as it was, in the API
version of the endpoint. A thin one (`v2.core.event`) names its object in `related_object`, without a version:
whoever acts on it reads the object. Sources: docs.stripe.com/event-destinations, and the library's
stripe.v2.core.EventNotification.
"""

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, StringConstraints

from schemas.fields import Event, Identifier, Instant

SOURCE: Final = "stripe"
# The API version whose shapes are read here: that of the pinned stripe library (a test compares them).
API_VERSION: Final = "2026-10-28.endive"
SNAPSHOT: Final = "event"
THIN: Final = "v2.core.event"

# Thin events that payouts acts on: the account that they name is read again.
_READ_THIN: Final = ("v2.core.account", "v1.account.", "v1.capability.", "v1.person.")


class RelatedObject(BaseModel):
    """What a thin event is about. `url` is its path at Stripe's API; a singleton (a balance) has no id."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    id: Identifier | None = None
    type: Identifier
    url: Annotated[str, StringConstraints(max_length=500)]


class StripeWebhook(Event):
    """`body`: the event as Stripe sent it, without what nobody reads (stripe_fields.py).

    `account` is set on Connect events.
    `api_version` is the endpoint's; null of an event that Stripe's list brought. A thin event has
    `related_object`, and `context` as Stripe sent it, whose last part is the `account`. `mac` proves that who
    holds the key wrote the record (schemas/attestation.py).
    """

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
    api_version: Identifier | None = None
    context: Identifier | None = None
    related_object: RelatedObject | None = None
    body: Annotated[str, StringConstraints(max_length=1_048_576)]
    mac: Identifier | None = None


def is_thin(event: Mapping[str, Any]) -> bool:
    """Whether Stripe's event names its object instead of carrying it."""
    return event.get("object") == THIN


def is_read_thin(event_type: str) -> bool:
    """Whether a service acts on thin events of this type; others are counted, and the doctor names them."""
    return event_type.startswith(_READ_THIN)


def object_of(event: Mapping[str, Any]) -> str | None:
    """The id of the Stripe object an event is about; its events share a partition. A balance has none."""
    data = event.get("data")
    subject = data.get("object") if isinstance(data, Mapping) else None
    if is_thin(event):
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
