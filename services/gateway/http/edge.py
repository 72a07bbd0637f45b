"""What every request passes: a request id, budgets, one length, security headers, a bounded body.

A plain ASGI middleware, so that an answer made anywhere below carries the headers. Limits are here because a
stranger can reach this port before anybody knows who it is.
"""

import re
from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType, SimpleNamespace
from typing import Final

from fastapi import Request, Response
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fleet.envelope import uuid7
from services.gateway.domain.problems import ProblemRaised
from services.gateway.http.budgets import Budget
from services.gateway.http.problems import problem_response
from services.gateway.metrics import RESPONSES

WEBHOOKS, FLIGHTS = "/webhooks/", "/v1/"
Endpoint = Callable[[Request], Awaitable[Response]]
BODILESS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
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
    """Wraps the application; each request has the budget of its address, and gives back what it took.

    direct: what answers a POST to an address itself, as the application would; its layers take as long as the
    answer, and an address that is asked a hundred times a second cannot have them.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        budgets: Mapping[str, Budget] | None = None,
        direct: Mapping[str, Endpoint] = MappingProxyType({}),
    ) -> None:
        self._app = app
        self._direct = direct
        self._budgets = budgets or {WEBHOOKS: Budget(), FLIGHTS: Budget(), "": Budget(working_max=32)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope = _without_closing_slash(scope)
        place = Place(self._budget_of(scope["path"]))
        scope.setdefault("state", {}).update(request_id=_request_id(scope), place=place)
        guarded = _with_headers(scope, send)
        try:
            _refuse_two_lengths(scope)
            if scope["method"] in BODILESS:
                place.begin()
            endpoint = self._direct.get(scope["path"]) if scope["method"] == "POST" else None
            if endpoint is None:
                await self._app(scope, receive, guarded)
            else:
                scope["route"] = SimpleNamespace(path=scope["path"])
                await (await endpoint(Request(scope, receive)))(scope, receive, guarded)
        except ProblemRaised as refused:
            await problem_response(refused.problem, scope["state"]["request_id"])(scope, receive, guarded)
        finally:
            place.end()

    def _budget_of(self, path: str) -> Budget:
        return next(budget for prefix, budget in self._budgets.items() if path.startswith(prefix))


class Place:
    """A request's place in its budget, taken at most once."""

    def __init__(self, budget: Budget) -> None:
        self.budget = budget
        self._taken = False

    def begin(self) -> None:
        self.budget.begin()
        self._taken = True

    def end(self) -> None:
        if self._taken:
            self.budget.end()


async def read_body(request: Request, bytes_max: int) -> bytes:
    """Read the raw body, then take the place for the work.

    Raises ProblemRaised as soon as it is too large, too slow, or nothing more can be worked on.
    """
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > bytes_max:
        raise _too_large(bytes_max)
    place: Place = request.state.place
    body = bytearray()
    try:
        async with place.budget.reading():
            async for chunk in request.stream():
                body += chunk
                if len(body) > bytes_max:
                    raise _too_large(bytes_max)
    except ClientDisconnect:
        raise ProblemRaised("too_slow", "the client went away before its body was read") from None
    place.begin()
    return bytes(body)


def _refuse_two_lengths(scope: Scope) -> None:
    """A proxy and this server may not disagree about where a request ends (RFC 9112, request smuggling)."""
    headers = Headers(scope=scope)
    lengths = headers.getlist("content-length")
    if ("transfer-encoding" in headers and lengths) or len(lengths) > 1:
        raise ProblemRaised("malformed_body", "the request says its length in two ways")


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
