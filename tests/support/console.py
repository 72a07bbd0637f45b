"""The console as people have it: signed-in visitors, every route, and what a page says to a machine."""

import asyncio
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import httpx
from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute

from console.context import Console
from console.edge import Edge
from console.settings import ConsoleSettings
from console.web import build_web, templates
from fleet.database import Database
from hobbs.demo.figures import Figures
from hobbs.demo.story import Story
from hobbs.local.fleet_processes import Fleet
from tests.contract.clients.installed import of_npm
from tests.support.corrections import Published, correction, publish_in_order, waiting

SECRET: Final = "only-for-this-machine-0123456789"
ROUTES_MIN: Final = 25
PATIENCE_S: Final = 60.0
WITH_AXE: Final = Path(__file__).parent / "axe"


class Visitor(httpx.AsyncClient):
    """A signed-in person, as the console sees their browser."""

    async def form_token(self) -> str:
        page = await self.get("/", follow_redirects=True)
        found = re.search(r'name="form_token" value="([^"]+)"', page.text)
        assert found is not None
        return found[1]

    async def preview(self, act: str, *objects: str, **fields: str) -> str:
        """Ask what an act would do; the address of the answer."""
        sent = {"form_token": await self.form_token(), "act": act, "object": list(objects), **fields}
        answer = await self.post("/acts", data=sent)
        assert answer.status_code == 303, answer.text
        return answer.headers["location"]

    async def confirm(self, address: str) -> str:
        """Have the act done; what became of it, as the page says it."""
        sent = await self.post(address, data={"form_token": await self.form_token()})
        assert sent.status_code == 303
        return await self.outcome(address)

    async def outcome(self, address: str) -> str:
        for _ in range(100):
            text = (await self.get(address)).text
            if "has not answered yet" not in text:
                return text
            await asyncio.sleep(0.2)
        raise AssertionError("nobody answered")


@dataclass(slots=True, kw_only=True)
class School:
    """A fleet with the demo's flights, and its console."""

    fleet: Fleet
    figures: Figures
    story: Story
    origin: str
    visitors: dict[str, Visitor]
    crawls: dict[str, dict[str, httpx.Response]] = field(default_factory=dict)
    looked_at: set[str] = field(default_factory=set)  # kinds of pages and of places on them, by a browser

    async def given_waiting(self, *flights: Published, corrected_by: str) -> list[str]:
        """Publish flights of 1.3 h, each corrected to 2.3 h; their corrections' names once all wait.

        No test takes another's correction: each runs alone as well.
        """
        later = [
            correction(
                flight,
                2,
                hobbs_in="1002.3",
                flight_hours="2.3",
                dual_hours="2.3",
                corrected_by=corrected_by,
            )
            for flight in flights
        ]
        await publish_in_order(self.fleet, [*flights, *later])
        names = [f"{flight['flight_id']}:2" for _, flight in flights]
        async with asyncio.timeout(PATIENCE_S):
            while not set(names) <= set(await waiting(self.figures)):  # noqa: ASYNC110 - another process's state
                await asyncio.sleep(0.1)
        return names

    async def visitor(self, name: str) -> Visitor:
        if name not in self.visitors:
            visitor = Visitor(base_url=self.origin, headers={"origin": self.origin}, timeout=30)
            entered = await visitor.post("/login/local", data={"key": SECRET, "person": name})
            assert entered.status_code == 303, entered.text
            self.visitors[name] = visitor
        return self.visitors[name]


def console_nowhere() -> Console:
    """A console that reaches no database: for what its application is made of."""
    settings = ConsoleSettings.model_validate(
        {
            "database_url": "postgresql://x@127.0.0.1/x",
            "kafka_bootstrap": "127.0.0.1:1",
            "console_login": "local",
            "console_local_secret": SECRET,
        }
    )
    nowhere = Database("postgresql://x@127.0.0.1/x", schema="x", pool_size=1)
    return Console(settings=settings, db=nowhere, holders=nowhere, templates=templates())


def routes(console: Console) -> list[APIRoute]:
    """Every route of a console, those of included routers too."""
    edge = build_web(console)
    assert isinstance(edge, Edge)
    app = edge._app
    assert isinstance(app, FastAPI)
    found = list(_flat(app.routes))
    assert len(found) > ROUTES_MIN, "the console's pages are not among the routes"
    return found


def _flat(listed: Sequence[BaseRoute]) -> Iterator[APIRoute]:
    """FastAPI keeps an included router as one route (findings/)."""
    for route in listed:
        if isinstance(route, APIRoute):
            yield route
        elif inside := getattr(route, "original_router", None):
            yield from _flat(inside.routes)


def pages_of(console: Console) -> list[str]:
    """The address of every page, with names where an object's name goes."""
    return [route.path for route in routes(console) if "GET" in (route.methods or ())]


def axe_source() -> str:
    """axe-core as a script. Raises Absent where it cannot be had."""
    return (of_npm(WITH_AXE, "axe") / "node_modules" / "axe-core" / "axe.min.js").read_text("utf-8")
