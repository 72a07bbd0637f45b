"""Connections to Stripe, kept in small pools."""

from collections.abc import Sequence
from itertools import cycle
from typing import Any

import httpx


class Pools:
    """Several small connection pools, used in turn.

    For each request httpcore compares all connections of a pool with each other: in one large pool that
    costs more than the request.
    """

    def __init__(self, clients: Sequence[httpx.AsyncClient]) -> None:
        self._clients = clients
        self._turn = cycle(clients)

    async def request(self, *args: Any, **kwargs: Any) -> httpx.Response:
        return await next(self._turn).request(*args, **kwargs)

    async def aclose(self) -> None:
        for client in self._clients:
            await client.aclose()
