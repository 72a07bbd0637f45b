"""deploy/proxy/haproxy.cfg in front of the real gateway: what passes, what is cut, what is not believed."""

import asyncio
import contextlib
import json
import shutil
import socket
import ssl
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from fleet import serving
from fleet.database import Database
from fleet.envelope import Message
from hobbs.local.child import Child
from hobbs.local.ports import free_ports
from schemas.stripe_webhooks import StripeWebhook
from services.gateway.domain.signatures import sign
from services.gateway.http.web import build_web
from tests.integration.gateway.conftest import NOWHERE, PLATFORM_NEW, gateway_settings
from tests.integration.gateway.test_webhooks import event, kept
from tests.support.tls import authority

CONFIGURATION: Final = Path(__file__).resolve().parents[3] / "deploy" / "proxy" / "haproxy.cfg"
HOOKS, CONSOLE = "hooks.example.com", "console.example.com"


@dataclass(slots=True, kw_only=True)
class Proxy:
    """The proxy, and what came through it: webhooks the gateway published, heads the console got."""

    port: int
    ca: Path
    webhooks: list[Message]
    heads: list[bytes]

    async def open(self, host: str = HOOKS) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        context = ssl.create_default_context(cafile=str(self.ca))
        return await asyncio.open_connection("127.0.0.1", self.port, ssl=context, server_hostname=host)

    async def answer(self, request: bytes, host: str = HOOKS) -> bytes:
        reader, writer = await self.open(host)
        writer.write(request)
        try:
            return await asyncio.wait_for(reader.read(65_536), 5)
        finally:
            writer.close()


QUICK: Final = (
    ("timeout http-request 10s", "timeout http-request 1s"),
    ("timeout client 10s", "timeout client 2s"),
)
AS_SHIPPED: Final = ()


@pytest.fixture
async def proxy(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Proxy]:
    """Patience of a second in place of ten, unless asked for AS_SHIPPED; the rest as the file has it."""
    patience = getattr(request, "param", QUICK)
    program = shutil.which("haproxy") or shutil.which("haproxy", path="/usr/sbin")
    if program is None or shutil.which("openssl") is None:
        pytest.skip("no haproxy (Debian: apt-get install haproxy): the proxy's configuration was not tried")
    webhooks: list[Message] = []
    heads: list[bytes] = []

    async def published(message: Message) -> None:
        webhooks.append(message)

    async def console(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
        await writer.drain()
        writer.close()

    web = build_web(
        gateway_settings("127.0.0.1:1"), Database(NOWHERE, schema="gateway", pool_size=1), published
    )
    server = serving.make_server(web, "127.0.0.1", 0)
    running = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn tells by an attribute only
        await asyncio.sleep(0.01)
    behind = await asyncio.start_server(console, "127.0.0.1", 0)
    [port] = free_ports(1)
    ca = authority(tmp_path / "ca")
    certificate, key = ca.sign("proxy", f"DNS:{HOOKS}", f"DNS:{CONSOLE}")
    served = tmp_path / "certs"
    served.mkdir()
    (served / "both.pem").write_text(certificate.read_text() + key.read_text())
    text = CONFIGURATION.read_text(encoding="utf-8")
    for old, new in (
        (":443 ssl crt /etc/haproxy/certs/", f"127.0.0.1:{port} ssl crt {served}/"),
        ("127.0.0.1:8080", f"127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"),
        ("127.0.0.1:8090", f"127.0.0.1:{behind.sockets[0].getsockname()[1]}"),
        *patience,
    ):
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    (tmp_path / "haproxy.cfg").write_text(text)
    child = Child.start("haproxy", [program, "-db", "-f", tmp_path / "haproxy.cfg"], log=tmp_path / "log")
    try:
        await _listens(child, port)
        yield Proxy(port=port, ca=ca.certificate, webhooks=webhooks, heads=heads)
    finally:
        child.kill()
        child.wait(10)
        behind.close()
        server.should_exit = True
        await running


async def _listens(child: Child, port: int) -> None:
    async with asyncio.timeout(20):
        while True:
            child.require_running()
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return
            await asyncio.sleep(0.05)


def posted(path: str, body: bytes, *more: str, host: str = HOOKS, length: bool = True) -> bytes:
    lines = [f"POST {path} HTTP/1.1", f"Host: {host}", "Connection: close", *more]
    lines += [f"Content-Length: {len(body)}"] if length else []
    return "\r\n".join([*lines, "", ""]).encode() + body


def signed(body: bytes) -> str:
    at = int(time.time())
    return f"Stripe-Signature: t={at},v1={sign(body, PLATFORM_NEW, at)}"


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1]) if answer else 0


async def test_a_webhook_passes_byte_for_byte(proxy: Proxy) -> None:
    """Its signature is over the bytes: one that a proxy wrote anew would be refused."""
    for body in (event("evt_1"), event("evt_2", padding="ü" * 60_000)):
        assert status(await proxy.answer(posted("/webhooks/stripe", body, signed(body)))) == 200
        assert isinstance(webhook := proxy.webhooks[-1].event, StripeWebhook)
        assert json.loads(webhook.body)["id"] == kept(body)["id"]
    body = event("evt_3")
    assert status(await proxy.answer(posted("/webhooks/stripe", body + b" ", signed(body)))) == 400


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (posted("/docs", b"{}"), 404),
        (posted("/metrics", b"{}"), 404),
        (posted("/webhooks/stripe/../../docs", b"{}"), 404),
        (b"GET /webhooks/stripe HTTP/1.1\r\nHost: hooks.example.com\r\nConnection: close\r\n\r\n", 405),
        (posted("/webhooks/stripe", b"{}", host="elsewhere.example.com"), 421),
        (posted("/v1/flights", b"{}"), 401),
        (posted("/v1/credit-checks", b"{}"), 401),
        (posted("/webhooks/stripe", b"x" * 262_145), 413),
        (posted("/v1/flights", b"x" * 1_048_577), 413),
        (posted("/webhooks/stripe", b"0\r\n\r\n", "Transfer-Encoding: chunked", length=False), 411),
        (posted("/webhooks/stripe", b"0\r\n\r\n", "Transfer-Encoding: chunked"), 411),
        (posted("/webhooks/stripe", b"{}{}", "Content-Length: 2"), 400),
    ],
    ids=lambda value: None if isinstance(value, bytes) else str(value),
)
async def test_only_what_is_meant_for_the_gateway_reaches_it(
    proxy: Proxy, request_: bytes, expected: int
) -> None:
    answer = await proxy.answer(request_)
    assert (status(answer), answer.count(b"HTTP/1.1 ")) == (expected, 1)
    assert proxy.webhooks == []


async def test_what_a_client_says_of_where_it_comes_from_is_not_passed_on(proxy: Proxy) -> None:
    lies = (
        "X-Forwarded-For: 203.0.113.9",
        "X-Forwarded-Proto: http",
        "X-Forwarded-Host: evil",
        "Forwarded: for=x",
    )
    assert status(await proxy.answer(posted("/login", b"", *lies, host=CONSOLE), CONSOLE)) == 200
    [head] = proxy.heads
    told = [line.lower() for line in head.decode().split("\r\n") if "forwarded" in line.lower()]
    assert sorted(told) == ["x-forwarded-for: 127.0.0.1", "x-forwarded-proto: https"]
    assert status(await proxy.answer(posted("/metrics", b"", host=CONSOLE), CONSOLE)) == 404


@pytest.mark.parametrize(
    "begun",
    [
        b"",
        b"POST /webhooks/stripe HTTP/1.1\r\nHost: hooks.example.com\r\nX-Slow: ",
        posted("/v1/flights", b"{}")[:-1],
    ],
    ids=["nothing", "a head", "a body"],
)
async def test_who_sends_slowly_is_cut(proxy: Proxy, begun: bytes) -> None:
    """A byte now and then does not help: the whole has its time."""
    reader, writer = await proxy.open()
    writer.write(begun)
    began = time.monotonic()
    dripping = asyncio.create_task(_drip(writer)) if b"X-Slow" in begun else None
    said = await asyncio.wait_for(reader.read(65_536), 7)
    assert status(said) in (0, 408)
    assert time.monotonic() - began < 6
    if dripping:
        dripping.cancel()
    writer.close()


async def _drip(writer: asyncio.StreamWriter) -> None:
    while True:
        await asyncio.sleep(0.2)
        writer.write(b"x")


@pytest.mark.parametrize("proxy", [AS_SHIPPED], indirect=True, ids=["as shipped"])
async def test_one_address_holds_so_many_connections_and_no_more(proxy: Proxy) -> None:
    kept, further = await asyncio.to_thread(_turned_away, proxy.port)
    assert (any(kept), all(further)) == (False, True)
    await asyncio.sleep(0.3)
    body = event("evt_after")
    assert status(await proxy.answer(posted("/webhooks/stripe", body, signed(body)))) == 200


def _turned_away(port: int) -> tuple[list[bool], list[bool]]:
    """Of 130 connections the first and the last: closed? Threads count the hundredth roughly."""
    held = [_connected(port) for _ in range(130)]
    try:
        return [_is_turned_away(one, 0.0001) for one in held[:90]], [
            _is_turned_away(one, 0.5) for one in held[110:]
        ]
    finally:
        for one in held:
            one.close()


def _connected(port: int) -> socket.socket:
    client = socket.socket()
    client.settimeout(5)
    with contextlib.suppress(ConnectionResetError):
        client.connect(("127.0.0.1", port))
    return client


def _is_turned_away(client: socket.socket, within_s: float) -> bool:
    """Whether a connection is closed before anything was said."""
    client.settimeout(within_s)
    try:
        return client.recv(1) == b""
    except TimeoutError:
        return False
    except OSError:  # reset, or never made
        return True
