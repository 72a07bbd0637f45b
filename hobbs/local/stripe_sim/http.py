"""Reads whole requests from ASGI, writes whole answers, and cuts connections on demand."""

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from typing import Any

import orjson

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

BODY_BYTES_MAX = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: str
    receive: Receive


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = "application/json"


class Reset(Exception):
    """Cut the connection with a TCP reset instead of answering."""


class Hang(Exception):
    """Never answer, until the client disconnects."""


class Gone(Exception):
    """The client disconnected before its request was complete; it must have no effect."""


async def read(scope: Scope, receive: Receive) -> Request:
    chunks, size = [], 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Gone
        chunk = message.get("body", b"")
        size += len(chunk)
        if size <= BODY_BYTES_MAX:
            chunks.append(chunk)
        if not message.get("more_body"):
            break
    return Request(
        method=scope["method"],
        path=scope["path"],
        query=scope["query_string"].decode("latin-1"),
        headers={name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]},
        body=b"".join(chunks).decode("utf-8", "replace"),
        receive=receive,
    )


async def write(send: Send, answer: Answer) -> None:
    headers = [
        (b"content-type", answer.content_type.encode()),
        (b"content-length", str(len(answer.body)).encode()),
        *(
            (name.lower().encode(), value.encode("latin-1", "replace"))
            for name, value in answer.headers.items()
        ),
    ]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})


async def hang(request: Request) -> None:
    """Hold the connection until the client disconnects; cut it when the simulator stops."""
    try:
        await _until_disconnected(request)
    except asyncio.CancelledError:
        await reset(request)


async def reset(request: Request) -> None:
    """Abort the socket. ASGI has no call for it, so this uses uvicorn's transport behind `receive`."""
    cycle = getattr(request.receive, "__self__", None)
    transport: asyncio.Transport | None = getattr(cycle, "transport", None)
    if transport is None:
        raise RuntimeError("the ASGI server's receive() has no transport to reset; run under uvicorn")
    sock = transport.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
    await _until_disconnected(request)


async def _until_disconnected(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        continue


def json_answer(status: int, doc: Any, headers: dict[str, str] | None = None) -> Answer:
    return Answer(status=status, body=orjson.dumps(doc, option=orjson.OPT_INDENT_2), headers=headers or {})
