"""HTTP servers inside a worker's process: uvicorn without its signal handlers."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from fleet.health import Checks, health_app
from fleet.settings import ProcessSettings

HEADERS_WITHIN_S: Final = 10.0
TOGETHER_BYTES_MAX: Final = 16_384


class Together:
    """A transport that sends at once what is written in one turn of the loop, as far as it is short.

    uvicorn writes head, body and end of an answer apart, and each write wakes the client.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport, self._loop = transport, loop
        self._waiting: list[bytes] = []
        self._bytes = 0

    def write(self, data: bytes) -> None:
        if not self._waiting:
            self._loop.call_soon(self._send)
        self._waiting.append(data)
        self._bytes += len(data)
        if self._bytes > TOGETHER_BYTES_MAX:  # who streams is told when the client does not keep up
            self._send()

    def close(self) -> None:
        self._send()
        self._transport.close()

    def _send(self) -> None:
        data, self._bytes = b"".join(self._waiting), 0
        self._waiting.clear()
        if data and not self._transport.is_closing():
            self._transport.write(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


class PartEnded(Exception):
    """A part of a worker ended that nobody asked to: the worker is of no more use."""


class PromptHeaders(H11Protocol):
    """Closes a connection whose request's head is not whole in time: uvicorn itself waits for ever."""

    _late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(Together(transport, self.loop))  # type: ignore[arg-type]
        self._late = self.loop.call_later(HEADERS_WITHIN_S, transport.close)

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)

    def handle_events(self) -> None:
        super().handle_events()
        if self.conn.their_state is not h11.IDLE:
            self._stop_waiting()
        elif self._late is None:  # the head of a further request began on the same connection
            self._late = self.loop.call_later(HEADERS_WITHIN_S, self.transport.close)

    def _stop_waiting(self) -> None:
        if self._late:
            self._late.cancel()
            self._late = None


def make_server(app: Any, host: str, port: int) -> uvicorn.Server:
    """A server of an ASGI application; `serve` runs it until `should_exit`.

    The client is whoever connected: uvicorn alone would believe X-Forwarded-For of anybody on this machine.
    """
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        http=PromptHeaders,
        ws="none",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        timeout_graceful_shutdown=10,
    )
    server = uvicorn.Server(config)
    server.capture_signals = _signals_stay_ours  # type: ignore[method-assign]
    return server


def ops_server(settings: ProcessSettings, live: Checks, ready: Checks) -> uvicorn.Server:
    """The process's /healthz, /readyz and /metrics."""
    return make_server(health_app(live, ready), settings.ops_host, settings.ops_port)


@contextmanager
def _signals_stay_ours() -> Iterator[None]:
    """Takes the place of uvicorn's signal handlers: the worker drains in its own order."""
    yield


async def serve(server: uvicorn.Server) -> None:
    """Serve until it is told to exit. Raises PartEnded when it cannot."""
    try:
        await server.serve()
    except SystemExit as asked:  # uvicorn's answer to an address that is taken
        raise PartEnded("no HTTP server") from asked
