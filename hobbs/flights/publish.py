"""Publishes flights: to Kafka, or to a gateway over HTTP.

Both publish a flight's revision as the same event, with the same identity and the same bytes: so publishing
it twice, or in both ways, changes nothing.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import httpx
from aiokafka.errors import KafkaError, UnknownTopicOrPartitionError

from fleet.envelope import Message, first_cause
from fleet.kafka_client import publish_many
from fleet.settings import Settings
from hobbs.flights.file import FlightEvent, ReadFlight, Rejected
from hobbs.shell.connections import Unreachable
from schemas.flights import FlightCancelled, FlightCorrected
from services.gateway.domain.flights import flight_event_id

# Where the gateway takes what each topic has.
DOORS: Final = {
    "flight.completed": "/v1/flights",
    "flight.corrected": "/v1/flights/corrections",
    "flight.cancelled": "/v1/flights/cancellations",
}
REQUEST_FLIGHTS_MAX: Final = 500
ATTEMPTS_MAX: Final = 6
TIMEOUT_S: Final = 30.0
WAIT_S_MAX: Final = 30.0


class GatewayRefuses(Exception):
    """The gateway refuses the caller itself (its key, its address); the message is the gateway's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """What one step did: flights that are new to Hobbs, flights that it knew, and rows it refused."""

    accepted: int = 0
    repeated: int = 0
    rejected: tuple[Rejected, ...] = ()


def topic_of(flight: FlightEvent) -> str:
    """The topic of a flight, a correction or a cancellation."""
    if isinstance(flight, FlightCancelled):
        return "flight.cancelled"
    return "flight.corrected" if isinstance(flight, FlightCorrected) else "flight.completed"


async def publish_to_kafka(
    settings: Settings, flights: Sequence[ReadFlight[FlightEvent]]
) -> AsyncIterator[Progress]:
    """Publish in order; one step for each flight that Kafka acknowledged."""
    cause = first_cause()
    messages = [
        Message(
            topic=topic_of(read.flight),
            key=read.flight.flight_id,
            event=read.flight,
            cause=cause,
            event_id=flight_event_id(topic_of(read.flight), read.flight.flight_id, read.flight.revision),
        )
        for read in flights
    ]
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # it repeats itself; we say it once
    try:
        async for _ in publish_many(settings, messages, service="flights"):
            yield Progress(accepted=1)
    except UnknownTopicOrPartitionError as error:
        missing = ", ".join(sorted({settings.topic_prefix + message.topic for message in messages}))
        raise Unreachable(f"Kafka has no topic {missing}; hobbs migrate makes the topics") from error
    except KafkaError as error:
        raise Unreachable(
            f"Kafka at {settings.kafka_bootstrap}: {error}; publishing again is safe"
        ) from error


async def publish_over_http(
    url: str, api_key: str, flights: Sequence[ReadFlight[FlightEvent]]
) -> AsyncIterator[Progress]:
    """Send what each address takes in order, 500 in a request; one step for each request."""
    headers = {"Authorization": f"Bearer {api_key}", "Content-Type": "application/json"}
    async with httpx.AsyncClient(base_url=url, headers=headers, timeout=TIMEOUT_S) as client:
        for topic, door in DOORS.items():
            there = [read for read in flights if topic_of(read.flight) == topic]
            for start in range(0, len(there), REQUEST_FLIGHTS_MAX):
                yield await _send(client, door, there[start : start + REQUEST_FLIGHTS_MAX])


async def _send(client: httpx.AsyncClient, door: str, flights: Sequence[ReadFlight[FlightEvent]]) -> Progress:
    """Send flights; when the gateway names some it will not take, send the others again without them."""
    rejected: list[Rejected] = []
    while flights:
        answer = await _posted(client, door, flights)
        document = answer.json()
        if answer.status_code == httpx.codes.ACCEPTED:
            outcomes = [flight["outcome"] for flight in document["flights"]]
            repeated = outcomes.count("repeated")
            return Progress(accepted=len(outcomes) - repeated, repeated=repeated, rejected=tuple(rejected))
        refused = _refused_places(document)
        if not refused:
            raise GatewayRefuses(f"{answer.status_code}: {document.get('detail', answer.reason_phrase)}")
        rejected += [_rejected(flights[place], reason, said) for place, (reason, said) in refused.items()]
        flights = [flight for place, flight in enumerate(flights) if place not in refused]
    return Progress(rejected=tuple(rejected))


async def _posted(
    client: httpx.AsyncClient, door: str, flights: Sequence[ReadFlight[FlightEvent]]
) -> httpx.Response:
    """Post until the gateway answers for good; repeating a request is safe."""
    body = b"[" + b",".join(read.flight.model_dump_json().encode() for read in flights) + b"]"
    for attempt in range(ATTEMPTS_MAX):
        wait_s = float(2**attempt)
        try:
            answer = await client.post(door, content=body)
        except httpx.TransportError as error:
            trouble = f"{type(error).__name__} {error}".strip()
        else:
            if answer.status_code < httpx.codes.INTERNAL_SERVER_ERROR:
                return _problem_or_answer(answer)
            trouble = f"answers {answer.status_code}"
            wait_s = _asked_wait_s(answer, wait_s)
        if attempt + 1 < ATTEMPTS_MAX:
            await asyncio.sleep(min(wait_s, WAIT_S_MAX))
    raise Unreachable(f"the gateway at {client.base_url} {trouble}; publishing again is safe")


def _problem_or_answer(answer: httpx.Response) -> httpx.Response:
    if not answer.headers.get("content-type", "").startswith(
        ("application/json", "application/problem+json")
    ):
        raise GatewayRefuses(f"{answer.url} answers {answer.status_code} and is no Hobbs gateway")
    return answer


def _asked_wait_s(answer: httpx.Response, otherwise: float) -> float:
    asked = answer.headers.get("retry-after", "")
    return float(asked) if asked.isdigit() else otherwise


def _refused_places(document: dict[str, Any]) -> dict[int, tuple[str, str]]:
    """Which flights of the request the problem is about, with a reason and a sentence."""
    places: dict[int, tuple[str, str]] = {}
    for conflict in document.get("conflicts", ()):
        places[conflict["place"]] = ("contradicts", "this revision was accepted before with other content")
    for fault in document.get("errors", ()):
        place = fault["pointer"].removeprefix("#/").partition("/")[0]
        if place.isdigit():
            places[int(place)] = ("invalid", f"{fault['pointer']}: {fault['detail']}")
    return places


def _rejected(read: ReadFlight[FlightEvent], reason: str, sentence: str) -> Rejected:
    return Rejected(line=read.line, flight_id=read.flight.flight_id, reason=reason, sentence=sentence)
