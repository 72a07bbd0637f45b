"""What every request passes: a request id, a limit on requests under way, security headers, a bounded body.

A plain ASGI middleware, so that an answer made anywhere below carries the headers. Limits are here because a
stranger can reach this port before anybody knows who it is.
"""

import asyncio
import re
from typing import Final

from fastapi import Request
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fleet.envelope import uuid7
from services.gateway.domain.problems import Problem, ProblemRaised
from services.gateway.http.problems import problem_response
from services.gateway.metrics import RESPONSES

UNDER_WAY_MAX: Final = 256
BODY_SECONDS_MAX: Final = 10.0
CONTENT_POLICY: Final = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
SECURITY_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": CONTENT_POLICY,
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "interest-cohort=()",
    "Referrer-Policy": "no-referrer",
    "Strict-Transport-Security": "max-age=31536000",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)


class Edge:
    """Wraps the application; while `under_way_max` requests are under way, another one is answered 503."""

    def __init__(self, app: ASGIApp, *, under_way_max: int = UNDER_WAY_MAX) -> None:
        self._app = app
        self._under_way_max = under_way_max
        self._under_way = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope = _without_closing_slash(scope)
        scope.setdefault("state", {})["request_id"] = _request_id(scope)
        guarded = _with_headers(scope, send)
        if self._under_way >= self._under_way_max:
            busy = Problem(kind="try_again", detail="too many requests are under way")
            await problem_response(busy, scope["state"]["request_id"])(scope, receive, guarded)
            return
        self._under_way += 1
        try:
            await self._app(scope, receive, guarded)
        finally:
            self._under_way -= 1


async def read_body(request: Request, bytes_max: int) -> bytes:
    """Read the raw body. Raises ProblemRaised as soon as it is too large, or takes longer than 10 s."""
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > bytes_max:
        raise _too_large(bytes_max)
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS_MAX):
            async for chunk in request.stream():
                body += chunk
                if len(body) > bytes_max:
                    raise _too_large(bytes_max)
    except ClientDisconnect:
        raise ProblemRaised("too_slow", "the client went away before its body was read") from None
    except TimeoutError:
        raise ProblemRaised("too_slow", f"the body took longer than {BODY_SECONDS_MAX:.0f} s") from None
    return bytes(body)


def request_id_of(request: Request) -> str:
    """The name of this request in answers and logs."""
    return str(request.state.request_id)


def _too_large(bytes_max: int) -> ProblemRaised:
    return ProblemRaised("too_large", f"the body is larger than {bytes_max} bytes", bytes_max=bytes_max)


def _without_closing_slash(scope: Scope) -> Scope:
    """An address with a slash at its end is the same address: it is served, not redirected."""
    path = scope["path"].rstrip("/")
    if not path or path == scope["path"]:
        return scope
    raw = scope.get("raw_path")
    return {**scope, "path": path, "raw_path": raw and raw.rstrip(b"/")}


def _request_id(scope: Scope) -> str:
    """The caller's X-Request-ID when it is plain, else a new one."""
    offered = Headers(scope=scope).get("x-request-id", "")
    return offered if _REQUEST_ID.fullmatch(offered) else str(uuid7())


def _with_headers(scope: Scope, send: Send) -> Send:
    """Add the security headers (a page may loosen the content policy for itself) and count the answer."""

    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in SECURITY_HEADERS.items():
                headers.setdefault(name, value)
            headers["X-Request-ID"] = scope["state"]["request_id"]
            RESPONSES.labels(_route_of(scope), str(message["status"])).inc()
        await send(message)

    return send_with_headers


def _route_of(scope: Scope) -> str:
    """The route's pattern; the path itself is the sender's choice and must not become a label."""
    return str(getattr(scope.get("route"), "path", "none"))
