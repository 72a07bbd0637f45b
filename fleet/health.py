"""/healthz: this process lives. /readyz: it can work. /metrics: Prometheus text."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

Check = Callable[[], Awaitable[str | None]]  # None is well, a sentence is what is wrong

CHECK_TIMEOUT_S = 3.0


def health_app(live: Mapping[str, Check], ready: Mapping[str, Check]) -> Starlette:
    """Build the operations endpoints from named checks."""
    return Starlette(
        routes=[
            Route("/healthz", _endpoint(live)),
            Route("/readyz", _endpoint({**live, **ready})),
            Route("/metrics", _metrics),
        ]
    )


def _endpoint(checks: Mapping[str, Check]) -> Callable[[Request], Awaitable[Response]]:
    async def answer(_: Request) -> Response:
        results = await asyncio.gather(*(_outcome(check) for check in checks.values()))
        wrong = {name: sentence for name, sentence in zip(checks, results, strict=True) if sentence}
        return JSONResponse({"ok": not wrong, "wrong": wrong}, status_code=503 if wrong else 200)

    return answer


async def _outcome(check: Check) -> str | None:
    try:
        return await asyncio.wait_for(check(), CHECK_TIMEOUT_S)
    except TimeoutError:
        return f"no answer within {CHECK_TIMEOUT_S:g} s"
    except Exception as error:  # any failure is the answer to a health check
        return type(error).__name__


async def _metrics(_: Request) -> Response:
    return Response(generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})
