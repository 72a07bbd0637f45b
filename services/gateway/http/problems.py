"""RFC 9457 problem details: the one shape of every error this gateway answers with.

A problem is a value with a name, a status and a sentence that says the way out. Nothing internal (no stack,
no SQL, no secret) ever reaches a client; the request's id does, so that a log line can be found.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final

import orjson
from fastapi.responses import Response

MEDIA_TYPE: Final = "application/problem+json"
RETRY_AFTER_S: Final = 5

# name -> status and title; the name is the fragment of `type` and an anchor on the documentation page.
KINDS: Final[Mapping[str, tuple[HTTPStatus, str]]] = {
    "malformed_body": (HTTPStatus.BAD_REQUEST, "The body cannot be read"),
    "signature_refused": (HTTPStatus.BAD_REQUEST, "The webhook's signature is not believed"),
    "event_refused": (HTTPStatus.BAD_REQUEST, "This endpoint does not take that event"),
    "key_missing": (HTTPStatus.UNAUTHORIZED, "An API key is needed"),
    "key_refused": (HTTPStatus.UNAUTHORIZED, "The API key is unknown or revoked"),
    "scope_missing": (HTTPStatus.FORBIDDEN, "The API key may not do this"),
    "not_found": (HTTPStatus.NOT_FOUND, "There is nothing here"),
    "method_not_allowed": (HTTPStatus.METHOD_NOT_ALLOWED, "This address takes another method"),
    "too_slow": (HTTPStatus.REQUEST_TIMEOUT, "The body did not arrive in time"),
    "content_differs": (HTTPStatus.CONFLICT, "This revision was accepted with other content"),
    "too_large": (HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "The body is too large"),
    "not_json": (HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "The body must be plain JSON"),
    "invalid_flight": (HTTPStatus.UNPROCESSABLE_ENTITY, "A flight is not valid"),
    "internal": (HTTPStatus.INTERNAL_SERVER_ERROR, "Something went wrong here"),
    "try_again": (HTTPStatus.SERVICE_UNAVAILABLE, "Not now; send it again"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One refusal: its kind, a sentence, and members of its own (RFC 9457 section 3.2)."""

    kind: str
    detail: str
    members: Mapping[str, Any] = field(default_factory=dict)

    @property
    def status(self) -> int:
        return KINDS[self.kind][0].value

    def body(self, request_id: str) -> dict[str, Any]:
        """The problem as its JSON object."""
        return {
            "type": f"/docs#{self.kind}",
            "title": KINDS[self.kind][1],
            "status": self.status,
            "detail": self.detail,
            "instance": f"urn:hobbs:request:{request_id}",
            **self.members,
        }


class ProblemRaised(Exception):
    """Carries a Problem from where it was found to the response."""

    def __init__(self, kind: str, detail: str, **members: Any) -> None:
        super().__init__(detail)
        self.problem = Problem(kind=kind, detail=detail, members=members)


def problem_response(problem: Problem, request_id: str) -> Response:
    """Write a problem as a response, with the header its status asks for."""
    return Response(
        content=orjson.dumps(problem.body(request_id)),
        status_code=problem.status,
        media_type=MEDIA_TYPE,
        headers=_headers(problem.status),
    )


def _headers(status: int) -> dict[str, str]:
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        return {"Retry-After": str(RETRY_AFTER_S)}
    if status == HTTPStatus.UNAUTHORIZED:
        return {"WWW-Authenticate": 'Bearer realm="hobbs"'}
    return {}
