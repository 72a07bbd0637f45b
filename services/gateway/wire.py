"""Reads bytes: Stripe's events, and flights as schedulers send them.

Promises: whatever the bytes are, a reader returns or raises ProblemRaised.
"""

import codecs
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Final, Literal
from uuid import UUID

import orjson
from pydantic import ValidationError

from fleet.envelope import derived_key
from fleet.inbox import has_nul
from schemas.flights import FlightCompleted, FlightCorrected
from schemas.stripe_webhooks import SOURCE, THIN, StripeWebhook, content_of, object_of
from services.gateway.domain.flights import FlightOffered, flight_event_id
from services.gateway.domain.problems import ProblemRaised

WEBHOOK_TOPIC: Final = "stripe.webhook"
FLIGHTS_MAX: Final = 500
ERRORS_SHOWN_MAX: Final = 50

Endpoint = Literal["platform", "connect"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadWebhook:
    """A verified Stripe event, its identity for the inbox, and the key that keeps its object's order.

    content: what a repeat must equal, also one that payouts found in Stripe's list.
    """

    event: StripeWebhook
    event_id: UUID
    key: str
    content: str


def read_webhook(body: bytes, *, endpoint: Endpoint, livemode: bool, received_at: datetime) -> ReadWebhook:
    """Read a verified body as a Stripe event of this endpoint and mode. Raises ProblemRaised."""
    text = _text(body)
    document = _json_object(text)
    thin = document.get("object") == THIN
    if document.get("object") != "event" and not thin:
        raise ProblemRaised("event_refused", "the body is not a Stripe v1 event (object is not 'event')")
    try:
        event = StripeWebhook(
            event_id=document.get("id"),
            event_type=document.get("type"),
            endpoint=endpoint,
            account=document.get("context") or None if thin else document.get("account"),
            livemode=_livemode_of(document),
            created_at=_created_at(document, received_at),
            received_at=received_at,
            attested=True,
            body=text,
        )
    except ValidationError as error:
        fields = ", ".join(sorted({str(e["loc"][0]) for e in error.errors(include_input=False)}))
        raise ProblemRaised("event_refused", f"the Stripe event's {fields} cannot be read") from None
    _refuse_wrong_address(event, livemode)
    return ReadWebhook(
        event=event,
        event_id=stripe_event_id(event.event_id),
        key=object_of(document) or event.account or event.event_id,
        content=content_of(document),
    )


def stripe_event_id(event_id: str) -> UUID:
    """The inbox key of a Stripe event, of topic, source `stripe` and Stripe's id: the same for a repeat."""
    return derived_key(WEBHOOK_TOPIC, SOURCE, event_id)


def read_flights(body: bytes, model: type[FlightCompleted]) -> list[FlightCompleted]:
    """Read one flight (an object) or up to 500 (an array). Raises ProblemRaised with each fault's place."""
    text = _text(body)
    document = _json(text)
    if has_nul(body, document):
        raise ProblemRaised("malformed_body", "the body contains a NUL character, which cannot be stored")
    items = document if isinstance(document, list) else [document]
    if not 1 <= len(items) <= FLIGHTS_MAX:
        raise ProblemRaised("malformed_body", f"send 1 to {FLIGHTS_MAX} flights, not {len(items)}")
    flights: list[FlightCompleted] = []
    errors: list[dict[str, Any]] = []
    for place, item in enumerate(items):
        try:
            flights.append(model.model_validate(item))
        except ValidationError as error:
            prefix = f"#/{place}" if isinstance(document, list) else "#"
            errors.extend(_pointed(error, prefix))
    if errors:
        detail = f"{len(items) - len(flights)} of {len(items)} flights are not valid; nothing was accepted"
        raise ProblemRaised("invalid_flight", detail, errors=errors[:ERRORS_SHOWN_MAX])
    return flights


def topic_of(model: type[FlightCompleted]) -> str:
    """The topic that a flight of this model is published to."""
    return "flight.corrected" if issubclass(model, FlightCorrected) else "flight.completed"


def offered(flights: Sequence[FlightCompleted]) -> list[FlightOffered]:
    """Name each flight's event and hash its content. 1.30 and 1.3 are different contents."""
    return [
        FlightOffered(
            event_id=flight_event_id(topic_of(type(flight)), flight.flight_id, flight.revision),
            topic=topic_of(type(flight)),
            flight_id=flight.flight_id,
            revision=flight.revision,
            content_hash=sha256(flight.model_dump_json().encode()).digest(),
        )
        for flight in flights
    ]


def _text(body: bytes) -> str:
    """UTF-8 without its byte-order mark, which says nothing (RFC 8259 lets a reader pass over it)."""
    if body.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise ProblemRaised("malformed_body", "the body is UTF-16 (by its byte-order mark); send UTF-8")
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ProblemRaised("malformed_body", f"the body is not UTF-8 (byte {error.start})") from None


def _json(text: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise ProblemRaised("malformed_body", f"the body is not JSON: line {error.lineno}") from None


def _json_object(text: str) -> dict[str, Any]:
    document = _json(text)
    if not isinstance(document, dict):
        raise ProblemRaised("malformed_body", "the body is not a JSON object")
    return document


def _livemode_of(document: dict[str, Any]) -> bool:
    livemode = document.get("livemode")
    if not isinstance(livemode, bool):
        raise ProblemRaised("event_refused", "the Stripe event does not say livemode true or false")
    return livemode


def _created_at(document: dict[str, Any], received_at: datetime) -> datetime:
    """When Stripe made the event (Unix seconds); when it was received, should it not say."""
    created = document.get("created")
    if isinstance(created, str) and document.get("object") == THIN:
        with contextlib.suppress(ValueError):
            return datetime.fromisoformat(created).astimezone(UTC)
    if not isinstance(created, int) or isinstance(created, bool) or not 0 <= created < 7_258_118_400:
        return received_at
    return datetime.fromtimestamp(created, UTC)


def _refuse_wrong_address(event: StripeWebhook, livemode: bool) -> None:
    if event.livemode is not livemode:
        theirs, ours = ("live", "test") if event.livemode else ("test", "live")
        raise ProblemRaised(
            "event_refused",
            f"event {event.event_id} is of {theirs} mode, this deployment is of {ours} mode",
            reason="wrong_mode",
        )
    if (event.account is not None) is not (event.endpoint == "connect"):
        belongs = "connect" if event.account is not None else "platform"
        raise ProblemRaised(
            "event_refused",
            f"event {event.event_id} belongs to the {belongs} endpoint, this is the {event.endpoint} one",
            reason="wrong_endpoint",
        )


def _pointed(error: ValidationError, prefix: str) -> list[dict[str, Any]]:
    """Say what is wrong where, by JSON pointer (RFC 6901), never echoing what was sent."""
    return [
        {
            "pointer": "/".join((prefix, *(_escaped(step) for step in e["loc"]))),
            "detail": e["msg"].removeprefix("Value error, "),
        }
        for e in error.errors(include_url=False, include_context=False, include_input=False)
    ]


def _escaped(step: int | str) -> str:
    return str(step).replace("~", "~0").replace("/", "~1")
