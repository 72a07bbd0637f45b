"""Over real sockets: slow senders stop nobody, two lengths are refused, a key has a quota."""

import asyncio
import secrets
from collections.abc import AsyncIterator

import httpx
import pytest

from fleet import serving
from fleet.database import Database
from services.gateway.domain.api_keys import SCOPES
from services.gateway.http.web import build_web
from tests.integration.gateway.conftest import NOWHERE, gateway_settings, new_key
from tests.integration.gateway.test_flights_over_http import FLIGHT
from tests.support.databases import service_url


async def published(message: object) -> None:
    """What Kafka would have acknowledged."""


@pytest.fixture
async def port(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[int]:
    """The gateway on a socket, with a short patience for heads."""
    monkeypatch.setattr(serving, "HEADERS_WITHIN_S", 0.5)
    web = build_web(
        gateway_settings("127.0.0.1:1"), Database(NOWHERE, schema="gateway", pool_size=1), published
    )
    server = serving.make_server(web, "127.0.0.1", 0)
    running = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn tells by an attribute only
        await asyncio.sleep(0.01)
    yield int(server.servers[0].sockets[0].getsockname()[1])
    server.should_exit = True
    await running


async def answer_to(port: int, request: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    try:
        return await asyncio.wait_for(reader.read(65_536), 5)
    finally:
        writer.close()


HEAD = b"POST /webhooks/stripe HTTP/1.1\r\nHost: h\r\n"


async def test_hundreds_of_slow_bodies_stop_no_webhook(port: int) -> None:
    slow = [await asyncio.open_connection("127.0.0.1", port) for _ in range(600)]
    for _, writer in slow:
        writer.write(HEAD + b"Content-Length: 100\r\n\r\n{")
    await asyncio.sleep(0.2)
    for path in (b"/webhooks/stripe", b"/v1/flights"):
        head = HEAD.replace(b"/webhooks/stripe", path)
        said = await answer_to(port, head + b"Content-Length: 2\r\nConnection: close\r\n\r\n{}")
        assert said.split(b" ", 2)[1] in (b"400", b"401"), said  # judged, not turned away
    for _, writer in slow:
        writer.close()


@pytest.mark.parametrize("begun", [b"", b"POST /webhooks/stripe HTTP/1.1\r\nHost: h\r\nX-Slow: "])
async def test_a_head_that_does_not_come_is_not_waited_for(port: int, begun: bytes) -> None:
    assert await answer_to(port, begun) == b""  # closed


async def test_a_second_head_on_the_same_connection_is_not_waited_for_either(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET /openapi.json HTTP/1.1\r\nHost: h\r\n\r\n")
    assert b"200" in await asyncio.wait_for(reader.readline(), 5)
    writer.write(b"GET /openapi.json HTTP/1.1\r\nX-Slow: ")
    while await asyncio.wait_for(reader.read(65_536), 4):
        pass
    writer.close()


@pytest.mark.parametrize(
    "lengths",
    [b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n", b"Content-Length: 2\r\nContent-Length: 4\r\n"],
)
async def test_a_request_with_two_lengths_is_refused(port: int, lengths: bytes) -> None:
    smuggled = HEAD + lengths + b"Connection: close\r\n\r\n0\r\n\r\nGET /docs HTTP/1.1\r\nHost: h\r\n\r\n"
    said = await answer_to(port, smuggled)
    assert said.startswith(b"HTTP/1.1 400")
    assert said.count(b"HTTP/1.1 ") == 1


async def test_a_key_that_asks_too_often_is_told_when_to_come_back(database_url: str) -> None:
    database = Database(service_url(database_url, "gateway"), schema="gateway", pool_size=2)
    key = await new_key(database, secrets.token_hex(4), SCOPES)
    other = await new_key(database, secrets.token_hex(4), SCOPES)
    web = build_web(gateway_settings("127.0.0.1:1", flights_per_minute=2), database, published)
    transport = httpx.ASGITransport(web)
    async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as client:
        answers = [
            await client.post("/v1/flights", json=FLIGHT, headers={"Authorization": f"Bearer {used}"})
            for used in (key, key, key, other)
        ]
    await database.close()
    assert [answer.status_code for answer in answers] == [202, 202, 429, 202]
    assert 1 <= int(answers[2].headers["Retry-After"]) <= 30
    assert answers[2].json()["type"] == "/docs#too_many"
