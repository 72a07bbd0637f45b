"""/healthz: this process lives. /readyz: it can work. /metrics: Prometheus text."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

Check = Callable[[], Awaitable[str | None]]  # None is well, a sentence is what is wrong

Checks = Callable[[], Mapping[str, Check]]  # those that apply now, by name

CHECK_TIMEOUT_S = 3.0


def health_app(live: Checks, ready: Checks) -> Starlette:
    """Build the operations endpoints from named checks; what must hold to live must hold to be ready."""
    return Starlette(
        routes=[
            Route("/healthz", _endpoint(live)),
            Route("/readyz", _endpoint(lambda: {**live(), **ready()})),
            Route("/metrics", _metrics),
        ]
    )


def _endpoint(checks: Checks) -> Callable[[Request], Awaitable[Response]]:
    async def answer(_: Request) -> Response:
        wrong = await what_is_wrong(checks())
        return JSONResponse({"ok": not wrong, "wrong": wrong}, status_code=503 if wrong else 200)

    return answer


async def what_is_wrong(checks: Mapping[str, Check]) -> dict[str, str]:
    """Ask all at once; a sentence for each that is not well."""
    results = await asyncio.gather(*(_outcome(check) for check in checks.values()))
    return {name: sentence for name, sentence in zip(checks, results, strict=True) if sentence}


async def _outcome(check: Check) -> str | None:
    try:
        async with asyncio.timeout(CHECK_TIMEOUT_S):
            return await check()
    except TimeoutError:
        return f"no answer within {CHECK_TIMEOUT_S:g} s"
    except Exception as error:  # any failure is the answer to a health check
        return type(error).__name__


async def _metrics(_: Request) -> Response:
    return Response(generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})
