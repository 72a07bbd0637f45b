"""POST /v1/flights, /v1/flights/corrections, …/cancellations and …/dispatches, for schedulers without Kafka.

Promises: 202 means the events are committed to the outbox and will reach Kafka; a repeat is the same event
and publishes nothing; a repeat with other content is refused; a request is accepted whole or not at all.
"""

from collections.abc import Sequence
from typing import Any, Literal
from uuid import UUID

import orjson
from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field

from fleet import outbox
from fleet.database import Database
from fleet.envelope import Message, first_cause
from fleet.faults import fault_point
from schemas.dispatches import FlightDispatched
from schemas.flights import FlightCancelled, FlightCompleted, FlightCorrected
from services.gateway import store, wire
from services.gateway.domain.api_keys import CORRECTIONS_WRITE, FLIGHTS_WRITE, ApiKey
from services.gateway.domain.flights import FlightOffered, Reception, decide_reception
from services.gateway.domain.problems import ProblemRaised
from services.gateway.http.budgets import Quotas
from services.gateway.http.edge import read_body
from services.gateway.http.keys import REFUSALS, authorised, refuse_encodings, while_database_lives
from services.gateway.metrics import FLIGHTS


class AcceptedFlight(BaseModel):
    """One flight's event; `repeated` when it had been accepted before."""

    flight_id: str
    revision: int
    event_id: UUID
    outcome: Literal["accepted", "repeated"]


class AcceptedFlights(BaseModel):
    """What was accepted, in the order of the request."""

    flights: list[AcceptedFlight] = Field(max_length=wire.FLIGHTS_MAX)


def flight_routes(db: Database, bytes_max: int, per_minute: int) -> APIRouter:
    """The addresses for schedulers: flights, corrections and cancellations."""
    routes = APIRouter(tags=["flights"])
    quotas = Quotas(per_minute)

    @routes.post("/v1/flights", **_described("FlightCompleted", "Publish completed flights"))
    async def flights(request: Request) -> Response:
        return await take_flights(db, quotas, request, FlightCompleted, FLIGHTS_WRITE, bytes_max)

    @routes.post("/v1/flights/corrections", **_described("FlightCorrected", "Publish corrections of flights"))
    async def corrections(request: Request) -> Response:
        return await take_flights(db, quotas, request, FlightCorrected, CORRECTIONS_WRITE, bytes_max)

    @routes.post(
        "/v1/flights/cancellations", **_described("FlightCancelled", "Cancel flights that did not take place")
    )
    async def cancellations(request: Request) -> Response:
        return await take_flights(db, quotas, request, FlightCancelled, CORRECTIONS_WRITE, bytes_max)

    @routes.post("/v1/flights/dispatches", **_described("FlightDispatched", "Ask whether flights may begin"))
    async def dispatches(request: Request) -> Response:
        return await take_flights(db, quotas, request, FlightDispatched, FLIGHTS_WRITE, bytes_max)

    return routes


async def take_flights(
    db: Database,
    quotas: Quotas,
    request: Request,
    model: type[wire.FlightEvent],
    scope: str,
    bytes_max: int,
) -> Response:
    """Authorise, read, validate and accept one request; every refusal is a Problem."""
    key = await authorised(db, request, scope)
    quotas.take(key.key_id)
    refuse_encodings(request)
    body = await read_body(request, bytes_max)
    flights = wire.read_flights(body, model)
    offered = wire.offered(flights)
    reception = await while_database_lives(lambda: accept_flights(db, key, flights, offered))
    await fault_point("gateway.flights_accepted")
    _count(wire.topic_of(model), reception)
    return _answer(offered, reception)


async def accept_flights(
    db: Database, key: ApiKey, flights: Sequence[wire.FlightEvent], offered: Sequence[FlightOffered]
) -> Reception:
    """Accept what is new and stage its events, in one transaction.

    Raises ProblemRaised when a flight's revision was accepted with other content: nothing is accepted then.
    """
    cause = first_cause()
    async with db.transaction() as tx:
        await store.accepted_flights.lock(tx, offered)
        reception = decide_reception(offered, await store.accepted_flights.known(tx, offered))
        if reception.differing:
            raise _differing(offered, reception.differing)
        new = [offered[place] for place in reception.new]
        await store.accepted_flights.insert(tx, new, key.key_id)
        await fault_point("gateway.flights_written")
        messages = [
            Message(
                topic=offered[place].topic,
                key=offered[place].flight_id,
                event=flights[place],
                cause=cause,
                event_id=offered[place].event_id,
            )
            for place in reception.new
        ]
        await outbox.stage(tx, messages)
    return reception


def _differing(offered: Sequence[FlightOffered], places: Sequence[int]) -> ProblemRaised:
    first = offered[places[0]]
    return ProblemRaised(
        "content_differs",
        f"flight {first.flight_id} revision {first.revision} was accepted before with other content; "
        "nothing of this request was accepted; a changed flight is sent as its next revision",
        conflicts=[
            {"place": place, "flight_id": offered[place].flight_id, "revision": offered[place].revision}
            for place in places
        ],
    )


def _count(topic: str, reception: Reception) -> None:
    FLIGHTS.labels(topic, "accepted").inc(len(reception.new))
    FLIGHTS.labels(topic, "repeated").inc(len(reception.repeated))


def _answer(offered: Sequence[FlightOffered], reception: Reception) -> Response:
    new = set(reception.new)
    accepted = [
        {
            "flight_id": flight.flight_id,
            "revision": flight.revision,
            "event_id": str(flight.event_id),
            "outcome": "accepted" if place in new else "repeated",
        }
        for place, flight in enumerate(offered)
    ]
    return Response(orjson.dumps({"flights": accepted}), status_code=202, media_type="application/json")


def _described(model: str, summary: str) -> dict[str, Any]:
    """A route's OpenAPI description. The handler reads the raw body, so the body's schema is named here."""
    one = {"$ref": f"#/components/schemas/{model}"}
    many = {"type": "array", "items": one, "minItems": 1, "maxItems": wire.FLIGHTS_MAX}
    body = {"required": True, "content": {"application/json": {"schema": {"oneOf": [one, many]}}}}
    return {
        "status_code": 202,
        "summary": summary,
        "description": "One flight or up to 500, all or nothing. Repeating a request is safe.",
        "response_model": AcceptedFlights,
        "responses": REFUSALS,
        "openapi_extra": {"requestBody": body, "security": [{"api_key": []}]},
    }
