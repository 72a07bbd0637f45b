"""The ASGI application: its routes, a problem for every failure, the OpenAPI document and its page."""

import logging
from functools import cache
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.openapi.utils import get_openapi
from fastapi.responses import HTMLResponse, Response
from pydantic.json_schema import models_json_schema
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp

from fleet.database import Database
from schemas.dispatches import FlightDispatched
from schemas.flights import FlightCancelled, FlightCompleted, FlightCorrected
from services.gateway.domain.cards import Prices
from services.gateway.domain.problems import Problem, ProblemRaised
from services.gateway.http.credit import ADDRESS, CreditCheck, CreditChecks, credit_routes
from services.gateway.http.docs_page import CONTENT_POLICY, render_page
from services.gateway.http.edge import Edge, Endpoint, request_id_of
from services.gateway.http.flights import flight_routes
from services.gateway.http.problems import problem_response
from services.gateway.http.sightings import Sightings
from services.gateway.http.webhooks import Publish, webhook_routes
from services.gateway.settings import GatewaySettings

_log = logging.getLogger(__name__)

_SUMMARY: Final = "Takes flights of schedulers without Kafka, and Stripe's webhooks."
_PROBLEM_SCHEMA: Final[dict[str, Any]] = {
    "title": "Problem",
    "description": "RFC 9457 problem details.",
    "type": "object",
    "properties": {
        "type": {"type": "string", "description": "Names the kind; an anchor of this documentation."},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "What is wrong and the way out."},
        "instance": {"type": "string", "description": "Names this request, also in the logs."},
        "errors": {
            "type": "array",
            "items": {"type": "object"},
            "description": "Faults by JSON pointer.",
        },
    },
    "required": ["type", "title", "status", "detail", "instance"],
}


def build_web(
    settings: GatewaySettings,
    db: Database,
    publish: Publish,
    sightings: Sightings | None = None,
    *,
    prices: Prices | None = None,
) -> ASGIApp:
    """Make the application. `publish` returns once Kafka has acknowledged the message.

    sightings: where the webhooks that come are counted for people. prices: what prices planned flights.
    """
    app = FastAPI(
        title="Hobbs gateway",
        version="1",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,  # Stripe follows no redirect; the edge takes the slash off
    )
    app.include_router(webhook_routes(settings, publish, sightings or Sightings()))
    app.include_router(flight_routes(db, settings.flights_bytes_max, settings.flights_per_minute))
    checks = CreditChecks(db, settings.credit_checks_per_minute, prices)
    app.include_router(credit_routes(checks))
    _add_documentation(app)
    app.add_exception_handler(ProblemRaised, _answer_problem)
    app.add_exception_handler(HTTPException, _answer_http)
    app.add_exception_handler(Exception, _answer_bug)
    return Edge(app, direct={ADDRESS: _with_bugs_answered(checks.answer)})


def _with_bugs_answered(endpoint: Endpoint) -> Endpoint:
    """As the application does: what is nobody's problem is logged, and answered without a word of it."""

    async def answer(request: Request) -> Response:
        try:
            return await endpoint(request)
        except ProblemRaised:
            raise
        except Exception as bug:
            return await _answer_bug(request, bug)

    return answer


def openapi_of(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI 3.1 document, the requests' schemas included."""
    document = get_openapi(title=app.title, version=app.version, summary=_SUMMARY, routes=app.routes)
    _, flights = models_json_schema(
        [
            (model, "validation")
            for model in (FlightCompleted, FlightCorrected, FlightCancelled, FlightDispatched, CreditCheck)
        ],
        ref_template="#/components/schemas/{model}",
    )
    components = document.setdefault("components", {})
    components.setdefault("schemas", {}).update(flights["$defs"])
    components["schemas"]["Problem"] = _PROBLEM_SCHEMA
    components["securitySchemes"] = {"api_key": {"type": "http", "scheme": "bearer"}}
    return document


def _add_documentation(app: FastAPI) -> None:
    @cache
    def document() -> dict[str, Any]:
        return openapi_of(app)

    @cache
    def page() -> str:
        return render_page(document())

    @app.get("/openapi.json", include_in_schema=False)
    async def openapi() -> dict[str, Any]:
        return document()

    @app.get("/docs", include_in_schema=False)
    async def docs() -> HTMLResponse:
        return HTMLResponse(page(), headers={"Content-Security-Policy": CONTENT_POLICY})


async def _answer_problem(request: Request, raised: Exception) -> Response:
    assert isinstance(raised, ProblemRaised)  # registered for that class only
    return problem_response(raised.problem, request_id_of(request))


async def _answer_http(request: Request, raised: Exception) -> Response:
    """What the router refuses: an unknown address, a method that it does not take."""
    assert isinstance(raised, HTTPException)  # registered for that class only
    kind = {404: "not_found", 405: "method_not_allowed"}.get(raised.status_code, "malformed_body")
    detail = "see /docs for the addresses and methods there are"
    response = problem_response(Problem(kind=kind, detail=detail), request_id_of(request))
    response.headers.update(raised.headers or {})
    return response


async def _answer_bug(request: Request, raised: Exception) -> Response:
    _log.error("request failed", exc_info=raised, extra={"request_id": request_id_of(request)})
    return problem_response(
        Problem(kind="internal", detail="the failure is in the gateway's log under this instance"),
        request_id_of(request),
    )
