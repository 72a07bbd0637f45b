"""POST /v1/credit-checks: whether a student may fly as planned, as a dispatch would be answered now.

Promises: nothing is held or written but when the key was used. The price is billing's, the answer
receivables', both at this moment.
"""

from dataclasses import asdict
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final, Literal

import orjson
from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from fleet.database import Database
from fleet.inbox import has_nul
from fleet.zones import local_date
from schemas.dispatches import FlightDispatched
from schemas.fields import Identifier, Instant, PositiveMinorUnits
from schemas.figures import HoursOrZero, OptionalHours
from schemas.identifiers import NewIdentifier
from services.gateway import store
from services.gateway.domain.api_keys import CREDIT_READ
from services.gateway.domain.cards import KnownCards, Prices
from services.gateway.domain.credit import Reason, Standing, Way, in_words, ways_out
from services.gateway.domain.problems import ProblemRaised
from services.gateway.http.budgets import Quotas
from services.gateway.http.edge import read_body
from services.gateway.http.keys import (
    REFUSALS,
    UsedKeys,
    authorised,
    judged,
    offered_key,
    refuse_encodings,
    while_database_lives,
)
from services.gateway.metrics import CREDIT_CHECKS

ADDRESS: Final = "/v1/credit-checks"
BYTES_MAX: Final = 4_096
PLANNED: Final = frozenset(
    {"departs_at", "aircraft", "instructor", "flight_hours", "dual_hours", "ground_hours"}
)
Level = Literal["ok", "near", "close", "exceeded"]


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


def credit_routes(checks: "CreditChecks") -> APIRouter:
    """The address for schedulers that ask before they plan."""
    routes = APIRouter(tags=["credit"])
    routes.add_api_route(ADDRESS, checks.answer, methods=["POST"], **_described())
    return routes


class CreditChecks:
    """Answers credit checks. A check is one question to the database, which asks about the key as well.

    What is kept between checks (keys, cards, the school's time zone) says only what to ask; the answer to the
    question says whether it still is so, and where it is not the check is asked anew.
    """

    def __init__(self, db: Database, per_minute: int, prices: Prices | None = None) -> None:
        self._db, self._prices = db, prices
        self._quotas, self._keys, self._cards = Quotas(per_minute), UsedKeys(), KnownCards()
        self._zone = "UTC"  # as last told

    async def answer(self, request: Request) -> Response:
        key_hash = offered_key(request)
        key = self._keys.get(key_hash)
        if key is None:
            key = await authorised(self._db, request, CREDIT_READ)
            self._keys.keep(key_hash, key)
        try:
            self._quotas.take(key.key_id)
            refuse_encodings(request)
            asked, planned = read_check(await read_body(request, BYTES_MAX), datetime.now(UTC))
            charge, standing = await while_database_lives(lambda: self._judge(key_hash, asked, planned))
        except ProblemRaised:
            self._keys.forget(key_hash)  # a key that was revoked hears only that
            self._keys.keep(key_hash, await authorised(self._db, request, CREDIT_READ))
            raise
        CREDIT_CHECKS.labels(standing.reason or "allowed").inc()
        return Response(orjson.dumps(_answer(asked.student, charge, standing)), media_type="application/json")

    async def _judge(
        self, key_hash: bytes, asked: CreditCheck, planned: FlightDispatched | None
    ) -> tuple[int, Standing]:
        """The charge, named or estimated, and how the student stands beside it.

        PostgreSQL's copy of the time zone data is as old as the server: the day is computed here.
        """
        now, activity = datetime.now(UTC), planned.activity if planned else None
        while True:
            book, charge = await self._priced(planned) if planned else (None, asked.charge or 0)
            zone = self._zone
            told = await store.credit.check(
                self._db, key_hash, asked.student, charge, local_date(now, zone), activity
            )
            await self._require(key_hash, told)
            if told.time_zone is None or told.standing is None:
                raise ProblemRaised(
                    "try_again", "the school's book names no currency yet: hobbs school apply"
                )
            if zone == told.time_zone and book in (None, told.book):
                return charge, told.standing
            self._zone = told.time_zone
            if book != told.book:
                self._cards.forget()

    async def _require(self, key_hash: bytes, told: store.credit.Checked) -> None:
        key = judged(told.key, CREDIT_READ)
        if not told.noted:
            async with self._db.autocommit() as tx:
                await store.api_keys.note_use(tx, key.key_id)

    async def _priced(self, planned: FlightDispatched) -> tuple[int, int]:
        """The version of the book, and what the flight would be billed by it. Raises ProblemRaised."""
        if self._prices is None:
            raise ProblemRaised(
                "not_priced", "this gateway prices no flights: say the charge", reason="no_prices"
            )
        named = planned.student, planned.aircraft, planned.instructor
        known = self._cards.of(*named)
        if known and (estimate := self._prices.estimate(planned, known[1], known[0]).estimate) is not None:
            return known[0], estimate
        async with self._db.autocommit() as tx:
            rows = await store.credit.cards(tx, *named)
        book, cards = rows[0]["book"] if rows else 0, list(map(self._prices.read, rows))
        told = self._prices.estimate(planned, cards, book)
        if told.estimate is None:
            CREDIT_CHECKS.labels("not_priced").inc()
            raise ProblemRaised("not_priced", told.sentence, reason=told.reason)
        names = [(row["kind"], row["key"]) for row in rows]
        self._cards.keep(*named, book, list(zip(names, cards, strict=True)))
        return book, told.estimate


def read_check(body: bytes, now: datetime) -> tuple[CreditCheck, FlightDispatched | None]:
    """Read the request's body; of a planned flight the dispatch that is asked about. Raises ProblemRaised."""
    try:
        document = orjson.loads(body.removeprefix(b"\xef\xbb\xbf"))
    except ValueError:
        raise ProblemRaised("malformed_body", "the body is not JSON") from None
    if has_nul(body, document):
        raise ProblemRaised("malformed_body", "the body has a NUL character")
    try:
        check = CreditCheck.model_validate(document)
        return check, check.planned(now) if check.charge is None else None
    except ValidationError as error:
        faults = [
            {"pointer": "/" + "/".join(str(part) for part in one["loc"]), "detail": one["msg"]}
            for one in error.errors(include_input=False, include_url=False)
        ]
        raise ProblemRaised("invalid_check", "the request is not valid", errors=faults) from None


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
