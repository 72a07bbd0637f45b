"""HTTP servers inside a worker's process: uvicorn without its signal handlers."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn

from fleet.health import Checks, health_app
from fleet.settings import ProcessSettings


def make_server(app: Any, host: str, port: int) -> uvicorn.Server:
    """A server of an ASGI application; `serve` runs it until `should_exit`.

    The client is whoever connected: uvicorn alone would believe X-Forwarded-For of anybody on this machine.
    """
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
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
