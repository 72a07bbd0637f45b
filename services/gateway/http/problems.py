"""Problems as HTTP responses: RFC 9457 problem details, the one shape of every error of this gateway."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

import orjson
from fastapi.responses import Response

from services.gateway.domain.problems import TITLES, Problem

MEDIA_TYPE: Final = "application/problem+json"
RETRY_AFTER_S: Final = 5

STATUSES: Final[Mapping[str, HTTPStatus]] = {
    "malformed_body": HTTPStatus.BAD_REQUEST,
    "signature_refused": HTTPStatus.BAD_REQUEST,
    "event_refused": HTTPStatus.BAD_REQUEST,
    "key_missing": HTTPStatus.UNAUTHORIZED,
    "key_refused": HTTPStatus.UNAUTHORIZED,
    "scope_missing": HTTPStatus.FORBIDDEN,
    "not_found": HTTPStatus.NOT_FOUND,
    "method_not_allowed": HTTPStatus.METHOD_NOT_ALLOWED,
    "too_slow": HTTPStatus.REQUEST_TIMEOUT,
    "content_differs": HTTPStatus.CONFLICT,
    "too_large": HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "not_json": HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    "invalid_flight": HTTPStatus.UNPROCESSABLE_ENTITY,
    "invalid_check": HTTPStatus.UNPROCESSABLE_ENTITY,
    "not_priced": HTTPStatus.UNPROCESSABLE_ENTITY,
    "internal": HTTPStatus.INTERNAL_SERVER_ERROR,
    "too_many": HTTPStatus.TOO_MANY_REQUESTS,
    "try_again": HTTPStatus.SERVICE_UNAVAILABLE,
}


def problem_response(problem: Problem, request_id: str) -> Response:
    """Write a problem as a response, with the header its status asks for.

    request_id: the problem's `instance`; the log's line about the request carries it too.
    """
    status = STATUSES[problem.kind]
    return Response(
        content=orjson.dumps(_body(problem, status, request_id)),
        status_code=status,
        media_type=MEDIA_TYPE,
        headers=_headers(status, problem),
    )


def _body(problem: Problem, status: HTTPStatus, request_id: str) -> dict[str, Any]:
    return {
        "type": f"/docs#{problem.kind}",
        "title": TITLES[problem.kind],
        "status": status.value,
        "detail": problem.detail,
        "instance": f"urn:hobbs:request:{request_id}",
        **problem.members,
    }


def _headers(status: HTTPStatus, problem: Problem) -> dict[str, str]:
    if status is HTTPStatus.TOO_MANY_REQUESTS:
        return {"Retry-After": str(problem.members["retry_after_s"])}
    if status is HTTPStatus.SERVICE_UNAVAILABLE:
        return {"Retry-After": str(RETRY_AFTER_S)}
    if status is HTTPStatus.UNAUTHORIZED:
        return {"WWW-Authenticate": 'Bearer realm="hobbs"'}
    return {}
