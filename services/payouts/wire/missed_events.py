"""Events of Stripe's list, and the records that publish those whose webhook did not arrive."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson
from pydantic import ValidationError

from fleet.envelope import Message, derived_key, first_cause
from fleet.inbox import Unreadable, describe
from schemas.attestation import attest
from schemas.stripe_fields import reduced
from schemas.stripe_webhooks import SOURCE, StripeWebhook, content_of, object_of
from services.payouts.domain.missed_events import ListedEvent
from services.payouts.domain.odd_objects import OddField
from services.payouts.wire.fields import instant, mapping

BODY_BYTES_MAX = 400_000  # the gateway's limit; quoted as JSON such a body still fits into a record


def listed_event(event: Mapping[str, Any], now: datetime) -> ListedEvent:
    """Read an event of Stripe's list. Raises Unreadable when it cannot be published as a webhook."""
    try:
        body = orjson.dumps(reduced(mapping(event, "the event")))
        webhook = _webhook(event, body.decode(), now)
    except ValidationError as error:
        raise Unreadable("invalid", describe(error)) from None
    except OddField as error:
        raise Unreadable("invalid", str(error)) from None
    except (KeyError, TypeError, ValueError, OverflowError) as error:  # orjson's errors are TypeErrors
        raise Unreadable("invalid", f"the event is not as Stripe's are: {type(error).__name__}") from None
    if len(body) > BODY_BYTES_MAX:
        raise Unreadable("oversized", f"the event has {len(body)} bytes; the limit is {BODY_BYTES_MAX}")
    return ListedEvent(
        event_id=webhook.event_id,
        event_key=derived_key("stripe.webhook", SOURCE, webhook.event_id),
        event_type=webhook.event_type,
        made_at=webhook.created_at,
        body=webhook.body,
    )


def recovered(listed: ListedEvent, now: datetime, keys: Sequence[str] = ()) -> Message:
    """Publish a listed event as the gateway publishes a delivered one: same identity, key and content."""
    event = reduced(orjson.loads(listed.body))  # one that an earlier release noted is whole
    webhook = _webhook(event, orjson.dumps(event).decode(), now)
    return Message(
        topic="stripe.webhook",
        key=object_of(event) or webhook.account or webhook.event_id,
        event=attest(webhook, keys),
        cause=first_cause(),
        event_id=listed.event_key,
        content=content_of(event),
    )


def payment_read(charge: Mapping[str, Any], now: datetime, keys: Sequence[str] = ()) -> Message:
    """Publish a charge that was read from Stripe as its webhook would have been; read again it is the same.

    Raises Unreadable when it is not as Stripe's charges are.
    """
    event = {
        "id": f"evt_read_{charge.get('id')}",
        "object": "event",
        "type": "charge.failed" if charge.get("status") == "failed" else "charge.succeeded",
        "created": charge.get("created"),
        "livemode": charge.get("livemode"),
        "data": {"object": charge},
    }
    return recovered(listed_event(event, now), now, keys)


def _webhook(event: Mapping[str, Any], body: str, now: datetime) -> StripeWebhook:
    """Attested, because it was read from Stripe itself, with our key and over TLS."""
    account = event.get("account")
    return StripeWebhook.model_validate(
        {
            "event_id": event.get("id"),
            "event_type": event.get("type"),
            "endpoint": "connect" if account else "platform",
            "account": account,
            "livemode": event.get("livemode"),
            "created_at": instant(event),
            "received_at": now,
            "attested": True,
            "body": body,
        }
    )
