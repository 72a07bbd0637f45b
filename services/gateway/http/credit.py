"""POST /v1/credit-checks: whether a student may fly as planned, as a dispatch would be answered now.

Promises: nothing is held or written but when the key was used. The price is billing's, the answer
receivables', both at this moment.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final, Literal

import orjson
from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from fleet.database import Database, Tx
from fleet.inbox import has_nul
from fleet.zones import local_date
from schemas.dispatches import FlightDispatched, FlightEstimated
from schemas.fields import Identifier, Instant, PositiveMinorUnits
from schemas.figures import HoursOrZero, OptionalHours
from schemas.identifiers import NewIdentifier
from services.gateway import store
from services.gateway.domain.api_keys import CREDIT_READ
from services.gateway.domain.credit import Reason, Standing, Way, in_words, ways_out
from services.gateway.domain.problems import ProblemRaised
from services.gateway.http.budgets import Quotas
from services.gateway.http.edge import read_body
from services.gateway.http.keys import REFUSALS, authorised, refuse_encodings, while_database_lives
from services.gateway.metrics import CREDIT_CHECKS

BYTES_MAX: Final = 4_096
PLANNED: Final = frozenset(
    {"departs_at", "aircraft", "instructor", "flight_hours", "dual_hours", "ground_hours"}
)
Level = Literal["ok", "near", "close", "exceeded"]
# Prices a planned flight as it will be billed, by the cards that may price it.
Estimate = Callable[[FlightDispatched, Sequence[Mapping[str, Any]]], FlightEstimated]


class CreditCheck(BaseModel):
    """Whom, and the flight that is planned: aircraft, instructor, hours, as in `flight.dispatched`.

    Or `charge`: its price in minor units of the school's currency, before the policy's margin.
    """

    model_config = ConfigDict(extra="forbid")

    student: Identifier
    charge: PositiveMinorUnits | None = None
    departs_at: Instant | None = None
    aircraft: NewIdentifier | None = None
    instructor: NewIdentifier | None = None
    flight_hours: OptionalHours = None
    dual_hours: HoursOrZero = Decimal(0)
    ground_hours: HoursOrZero = Decimal(0)

    @model_validator(mode="after")
    def _names_one_price(self) -> "CreditCheck":
        if (self.charge is not None) == bool(self.model_fields_set & PLANNED):
            raise ValueError("say the flight that is planned (aircraft, instructor, hours), or its charge")
        return self

    def planned(self, now: datetime) -> FlightDispatched:
        """The dispatch that is asked about; it departs now unless it says when."""
        said = {name: getattr(self, name) for name in self.model_fields_set & PLANNED}
        at = self.departs_at or now
        return FlightDispatched.model_validate(
            {"flight_id": "credit-check", "student": self.student, **said, "departs_at": at}
        )


class CreditChecked(BaseModel):
    """The answer. Amounts are minor units of `currency`, credit positive; limit and room null: no limit."""

    student: str
    allowed: bool
    reason: Reason | None
    detail: str
    ways: list[Way]
    shortfall: int | None
    currency: str
    charge: int
    held: int
    posted: int
    pending: int
    available: int
    disputed: int
    under_way: int
    credit_limit: int | None
    room: int | None
    used_percent: int | None
    level: Level
    overdue: int | None


def credit_routes(db: Database, per_minute: int, estimate: Estimate | None = None) -> APIRouter:
    """The address for schedulers that ask before they plan."""
    routes = APIRouter(tags=["credit"])
    quotas, calendar = Quotas(per_minute), _Calendar()

    @routes.post("/v1/credit-checks", **_described())
    async def credit_checks(request: Request) -> Response:
        key = await authorised(db, request, CREDIT_READ)
        quotas.take(key.key_id)
        refuse_encodings(request)
        asked = read_check(await read_body(request, BYTES_MAX))
        charge, standing = await while_database_lives(lambda: _judge(db, asked, estimate, calendar))
        if standing is None:
            raise ProblemRaised("try_again", "the school's book names no currency yet: hobbs school apply")
        CREDIT_CHECKS.labels(standing.reason or "allowed").inc()
        answer = _answer(asked.student, charge, standing)
        return Response(orjson.dumps(answer), media_type="application/json")

    return routes


def read_check(body: bytes) -> CreditCheck:
    """Read the request's body. Raises ProblemRaised."""
    try:
        document = orjson.loads(body.removeprefix(b"\xef\xbb\xbf"))
    except ValueError:
        raise ProblemRaised("malformed_body", "the body is not JSON") from None
    if has_nul(body, document):
        raise ProblemRaised("malformed_body", "the body has a NUL character")
    try:
        check = CreditCheck.model_validate(document)
        if check.charge is None:
            check.planned(datetime.now(UTC))  # a student's name that no dispatch could have
        return check
    except ValidationError as error:
        faults = [
            {"pointer": "/" + "/".join(str(part) for part in one["loc"]), "detail": one["msg"]}
            for one in error.errors(include_input=False, include_url=False)
        ]
        raise ProblemRaised("invalid_check", "the request is not valid", errors=faults) from None


@dataclass(slots=True)
class _Calendar:
    """The school's time zone as last told: a check says whether it still is, and is one question."""

    zone: str = "UTC"


async def _judge(
    db: Database, asked: CreditCheck, estimate: Estimate | None, calendar: _Calendar
) -> tuple[int, Standing | None]:
    """The charge, named or estimated, and how the student stands beside it.

    PostgreSQL's copy of the time zone data is as old as the server: the day is computed here.
    """
    now = datetime.now(UTC)
    async with db.autocommit() as tx:
        charge, activity = asked.charge, None
        if charge is None:
            planned = asked.planned(now)
            charge, activity = await _estimated(tx, planned, estimate), planned.activity
        while True:
            day = local_date(now, calendar.zone)
            zone, standing = await store.credit.check(tx, asked.student, charge, day, activity)
            if zone is None or zone == calendar.zone:
                return charge, standing if zone else None
            calendar.zone = zone


async def _estimated(tx: Tx, planned: FlightDispatched, estimate: Estimate | None) -> int:
    if estimate is None:
        raise ProblemRaised(
            "not_priced", "this gateway prices no flights: say the charge", reason="no_prices"
        )
    cards = await store.credit.cards(tx, planned.student, planned.aircraft, planned.instructor)
    told = estimate(planned, cards)
    if told.estimate is None:
        CREDIT_CHECKS.labels("not_priced").inc()
        raise ProblemRaised("not_priced", told.sentence, reason=told.reason)
    return told.estimate


def _answer(student: str, charge: int, standing: Standing) -> dict[str, Any]:
    return {
        **asdict(standing),
        "student": student,
        "charge": charge,
        "allowed": standing.reason is None,
        "detail": in_words(standing, student),
        "ways": ways_out(standing),
    }


def _described() -> dict[str, Any]:
    """The route's OpenAPI description. The handler reads the raw body, so its schema is named here."""
    body = {"$ref": "#/components/schemas/CreditCheck"}
    return {
        "summary": "Ask whether a student may fly",
        "description": "What a dispatch of this flight would be answered now, priced by the cards that will "
        "bill it. Nothing is held.",
        "response_model": CreditChecked,
        "responses": {status: said for status, said in REFUSALS.items() if status != 409},
        "openapi_extra": {
            "requestBody": {"required": True, "content": {"application/json": {"schema": body}}},
            "security": [{"api_key": []}],
        },
    }
