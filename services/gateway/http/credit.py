"""POST /v1/credit-checks: whether a student may be charged so much, as a dispatch would be answered now.

Promises: nothing is held or written but when the key was used. The answer is receivables' at this moment.
"""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, Final, Literal

import orjson
from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, ValidationError

from fleet.database import Database
from fleet.inbox import has_nul
from schemas.fields import Identifier, PositiveMinorUnits
from services.gateway import store
from services.gateway.domain.api_keys import CREDIT_READ
from services.gateway.domain.credit import Reason, Standing, Way, in_words, ways_out
from services.gateway.domain.problems import ProblemRaised
from services.gateway.http.budgets import Quotas
from services.gateway.http.edge import read_body
from services.gateway.http.keys import REFUSALS, authorised, refuse_encodings, while_database_lives
from services.gateway.metrics import CREDIT_CHECKS

BYTES_MAX: Final = 4_096
Level = Literal["ok", "near", "close", "exceeded"]


class CreditCheck(BaseModel):
    """Whom, and how much in minor units of the school's currency, before the policy's margin."""

    model_config = ConfigDict(extra="forbid")

    student: Identifier
    charge: PositiveMinorUnits


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


def credit_routes(db: Database, per_minute: int) -> APIRouter:
    """The address for schedulers that ask before they plan."""
    routes = APIRouter(tags=["credit"])
    quotas = Quotas(per_minute)

    @routes.post("/v1/credit-checks", **_described())
    async def credit_checks(request: Request) -> Response:
        key = await authorised(db, request, CREDIT_READ)
        quotas.take(key.key_id)
        refuse_encodings(request)
        asked = read_check(await read_body(request, BYTES_MAX))
        standing = await while_database_lives(lambda: _standing(db, asked))
        if standing is None:
            raise ProblemRaised("try_again", "the school's book names no currency yet: hobbs school apply")
        CREDIT_CHECKS.labels(standing.reason or "allowed").inc()
        return Response(orjson.dumps(_answer(asked, standing)), media_type="application/json")

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
        return CreditCheck.model_validate(document)
    except ValidationError as error:
        faults = [
            {"pointer": "/" + "/".join(str(part) for part in one["loc"]), "detail": one["msg"]}
            for one in error.errors(include_input=False, include_url=False)
        ]
        raise ProblemRaised("invalid_check", "the request is not valid", errors=faults) from None


async def _standing(db: Database, asked: CreditCheck) -> Standing | None:
    async with db.autocommit() as tx:
        return await store.credit.check(tx, asked.student, asked.charge, datetime.now(UTC))


def _answer(asked: CreditCheck, standing: Standing) -> dict[str, Any]:
    return {
        **asdict(standing),
        "student": asked.student,
        "charge": asked.charge,
        "allowed": standing.reason is None,
        "detail": in_words(standing, asked.student),
        "ways": ways_out(standing),
    }


def _described() -> dict[str, Any]:
    """The route's OpenAPI description. The handler reads the raw body, so its schema is named here."""
    body = {"$ref": "#/components/schemas/CreditCheck"}
    return {
        "summary": "Ask whether a student may be charged",
        "description": "What a dispatch with this estimate would be answered now. Nothing is held.",
        "response_model": CreditChecked,
        "responses": {status: said for status, said in REFUSALS.items() if status != 409},
        "openapi_extra": {
            "requestBody": {"required": True, "content": {"application/json": {"schema": body}}},
            "security": [{"api_key": []}],
        },
    }
