"""Every answer's headers: no foreign host, no inline code, no frame, nothing kept by caches."""

import time
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from console import metrics

POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "manifest-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    )
)
HEADERS: Final = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
}
STATIC_FOR_S: Final = 86_400


class Edge:
    """Puts the headers on every answer, and answers nobody who names another host than the console's."""

    def __init__(self, app: ASGIApp, *, origin: str, also: frozenset[str] = frozenset()) -> None:
        self._app = app
        self._secure = origin.startswith("https://")
        self._hosts = {urlsplit(origin).netloc.lower()} | also

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        answered, began = 0, time.monotonic()

        async def send_guarded(message: Message) -> None:
            nonlocal answered
            if message["type"] == "http.response.start":
                answered = message["status"]
                self._complete(MutableHeaders(scope=message), scope["path"])
            await send(message)

        if self._host_of(scope) not in self._hosts:
            # Else a name of somebody else's that points here would be a page of ours in a browser's eyes.
            await _answer(send_guarded, 421, b"this is not the address of the console\n")
            return
        try:
            await self._app(scope, receive, send_guarded)
        except Exception:  # the page that says so is sent, and the log has it: the connection is sound
            if not answered:
                raise
        finally:
            _count(scope, answered, time.monotonic() - began)

    def _host_of(self, scope: Scope) -> str:
        found = [value for name, value in scope["headers"] if name == b"host"]
        return str(found[0].decode("latin-1").lower()) if len(found) == 1 else ""

    def _complete(self, headers: MutableHeaders, path: str) -> None:
        for name, value in HEADERS.items():
            headers[name] = value
        if self._secure:
            headers["strict-transport-security"] = "max-age=31536000"
        is_static = path.startswith("/static/")
        headers["cache-control"] = f"public, max-age={STATIC_FOR_S}" if is_static else "no-store"


def _count(scope: Scope, status: int, seconds: float) -> None:
    """Count an answer by its page; 0: there was none, as the connection broke."""
    page = getattr(scope.get("route"), "path", metrics.NO_PAGE)
    said = str(status) if str(status) in metrics.STATUSES else "other"
    metrics.REQUESTS.labels(page, said).inc()
    metrics.REQUEST_SECONDS.labels(page).observe(seconds)


async def _answer(send: Send, status: int, body: bytes) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
