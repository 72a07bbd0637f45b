"""Reads bytes: Stripe's events, and flights as schedulers send them.

Promises: whatever the bytes are, a reader returns or raises ProblemRaised.
"""

import codecs
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Final, Literal
from uuid import UUID

import orjson
from pydantic import TypeAdapter, ValidationError

from fleet.envelope import derived_key
from fleet.inbox import has_nul
from schemas.dispatches import FlightDispatched
from schemas.fields import Instant
from schemas.flights import FlightCancelled, FlightCompleted, FlightCorrected
from schemas.stripe_fields import reduced
from schemas.stripe_webhooks import (
    API_VERSION,
    SNAPSHOT,
    SOURCE,
    THIN,
    StripeWebhook,
    content_of,
    is_read_thin,
    is_thin,
    object_of,
)
from services.gateway.domain.flights import FlightOffered, flight_event_id
from services.gateway.domain.problems import ProblemRaised
from services.gateway.domain.sightings import Reading, Sighting, Verdict, compare_versions, decide_verdict

WEBHOOK_TOPIC: Final = "stripe.webhook"
FLIGHTS_MAX: Final = 500
ERRORS_SHOWN_MAX: Final = 50
NOT_OVER_HTTP: Final = "what other software billed is published by the operator, not over HTTP"
_VERSION: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[.a-z_]{0,40}", re.ASCII)
_INSTANT: Final = TypeAdapter(Instant)

Endpoint = Literal["platform", "connect"]
# A correction is a completed flight with a reason.
FlightEvent = FlightCompleted | FlightCancelled | FlightDispatched


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadWebhook:
    """A verified Stripe event, its identity for the inbox, and the key that keeps its object's order.

    content: what a repeat must equal, also one that payouts found in Stripe's list.
    """

    event: StripeWebhook
    event_id: UUID
    key: str
    content: str
    reading: Reading
    verdict: Verdict

    def sighting(self) -> Sighting:
        """What is remembered of it, for people who look for a wrong endpoint."""
        event = self.event
        return Sighting(
            endpoint=event.endpoint,
            verdict=self.verdict,
            livemode=event.livemode,
            reading=self.reading,
            api_version=event.api_version or "",
            event_id=event.event_id,
            event_type=event.event_type,
            seen_at=event.received_at,
        )


def read_webhook(body: bytes, *, endpoint: Endpoint, livemode: bool, received_at: datetime) -> ReadWebhook:
    """Read a verified body as a Stripe event, a snapshot or a thin one, of this endpoint and mode.

    Raises ProblemRaised. An event of the other mode is read too: `verdict` says what becomes of it.
    """
    text = _text(body)
    document = _json_object(text)
    if document.get("object") not in (SNAPSHOT, THIN):
        sentence = f"the body is no Stripe event (object is neither '{SNAPSHOT}' nor '{THIN}')"
        raise ProblemRaised("event_refused", sentence)
    context = document.get("context")
    try:
        event = StripeWebhook(
            event_id=document.get("id"),
            event_type=document.get("type"),
            endpoint=endpoint,
            account=_account_of(context) if is_thin(document) else document.get("account"),
            livemode=_livemode_of(document),
            created_at=_created_at(document, received_at),
            received_at=received_at,
            attested=True,
            api_version=_version_of(document),
            context=context or None if is_thin(document) else None,
            related_object=document.get("related_object") if is_thin(document) else None,
            body=orjson.dumps(reduced(document)).decode(),
        )
    except ValidationError as error:
        fields = ", ".join(sorted({str(e["loc"][0]) for e in error.errors(include_input=False)}))
        raise ProblemRaised("event_refused", f"the Stripe event's {fields} cannot be read") from None
    webhook = ReadWebhook(
        event=event,
        event_id=stripe_event_id(event.event_id),
        key=object_of(document) or event.account or event.event_id,
        content=content_of(document),
        reading=_reading(event, thin=is_thin(document)),
        verdict=decide_verdict(event.livemode, ours=livemode),
    )
    if webhook.verdict is Verdict.PUBLISHED and not is_thin(document):
        _refuse_wrong_endpoint(event)
    return webhook


def stripe_event_id(event_id: str) -> UUID:
    """The inbox key of a Stripe event, of topic, source `stripe` and Stripe's id: the same for a repeat."""
    return derived_key(WEBHOOK_TOPIC, SOURCE, event_id)


def read_flights(body: bytes, model: type[FlightEvent]) -> list[FlightEvent]:
    """Read one flight (an object) or up to 500 (an array). Raises ProblemRaised with each fault's place."""
    text = _text(body)
    document = _json(text)
    if has_nul(body, document):
        raise ProblemRaised("malformed_body", "the body contains a NUL character, which cannot be stored")
    items = document if isinstance(document, list) else [document]
    if not 1 <= len(items) <= FLIGHTS_MAX:
        raise ProblemRaised("malformed_body", f"send 1 to {FLIGHTS_MAX} flights, not {len(items)}")
    flights: list[FlightEvent] = []
    errors: list[dict[str, Any]] = []
    for place, item in enumerate(items):
        try:
            flight = model.model_validate(item)
        except ValidationError as error:
            prefix = f"#/{place}" if isinstance(document, list) else "#"
            errors.extend(_pointed(error, prefix))
            continue
        if isinstance(flight, FlightCompleted) and flight.billed_by is not None:
            prefix = f"#/{place}" if isinstance(document, list) else "#"
            errors.append({"pointer": f"{prefix}/billed_by", "detail": NOT_OVER_HTTP})
            continue
        flights.append(flight)
    if errors:
        detail = f"{len(items) - len(flights)} of {len(items)} flights are not valid; nothing was accepted"
        raise ProblemRaised("invalid_flight", detail, errors=errors[:ERRORS_SHOWN_MAX])
    return flights


def topic_of(model: type[FlightEvent]) -> str:
    """The topic that a flight of this model is published to."""
    if issubclass(model, FlightCancelled):
        return "flight.cancelled"
    if issubclass(model, FlightDispatched):
        return "flight.dispatched"
    return "flight.corrected" if issubclass(model, FlightCorrected) else "flight.completed"


def offered(flights: Sequence[FlightEvent]) -> list[FlightOffered]:
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
    """When Stripe made the event (Unix seconds, text in a thin one); when it came, should it not say."""
    created = document.get("created")
    if isinstance(created, str) and is_thin(document):
        return _instant(created) or received_at
    if not isinstance(created, int) or isinstance(created, bool) or not 0 <= created < 7_258_118_400:
        return received_at
    return datetime.fromtimestamp(created, UTC)


def _version_of(document: dict[str, Any]) -> str | None:
    """The version of a snapshot. An odd one refuses no event: what is in it is checked by who reads it."""
    version = document.get("api_version")
    return version if isinstance(version, str) and _VERSION.fullmatch(version) else None


def _reading(event: StripeWebhook, *, thin: bool) -> Reading:
    if thin:
        return Reading.THIN if is_read_thin(event.event_type) else Reading.THIN_UNREAD
    return compare_versions(event.api_version, API_VERSION)


def _instant(text: str) -> datetime | None:
    try:
        return _INSTANT.validate_python(text)
    except ValidationError:
        return None


def _account_of(context: object) -> object:
    """The account that a thin event is about: the last part of its context (`acct_platform/acct_payee`)."""
    return context.rpartition("/")[2] or None if isinstance(context, str) else context


def _refuse_wrong_endpoint(event: StripeWebhook) -> None:
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
