"""The ASGI application: the API, the admin API and the onboarding pages, and two background loops."""

import asyncio
from contextlib import suppress
from html import escape
from pathlib import Path
from urllib.parse import parse_qsl

import stripe

from hobbs.local.stripe_sim import http, onboarding, pages, timers
from hobbs.local.stripe_sim.admin import Admin
from hobbs.local.stripe_sim.api import Api
from hobbs.local.stripe_sim.clock import Clock
from hobbs.local.stripe_sim.delivery import Delivery
from hobbs.local.stripe_sim.faults import Faults
from hobbs.local.stripe_sim.http import Answer, Receive, Request, Scope, Send
from hobbs.local.stripe_sim.settings import Settings
from hobbs.local.stripe_sim.store import Store
from hobbs.local.stripe_sim.world import World


class Server:
    def __init__(self, data: Path, secret_key: str | None, first_settings: Settings, public_url: str) -> None:
        data.mkdir(parents=True, exist_ok=True)
        store = Store(data / "stripe.sqlite3")
        stored = store.setting("settings")
        self.world = World(
            store=store,
            clock=Clock(store.setting("clock_offset") or 0.0),
            settings=first_settings if stored is None else Settings().changed(stored),
            api_version=str(stripe.api_version),
            public_url=public_url,
        )
        if stored is None:
            self.world.set_settings(first_settings)
        faults = Faults(self.world)
        self.api = Api(self.world, faults, secret_key)
        self.admin = Admin(self.world, faults, self.api)
        self.loops: list[asyncio.Task[None]] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["type"] == "http":
            with suppress(http.Gone):
                await self._serve(await http.read(scope, receive), send)

    async def _serve(self, request: Request, send: Send) -> None:
        try:
            if request.path.startswith("/_sim/"):
                answer = self.admin.answer(request)
            elif request.path.startswith("/setup/e/"):
                answer = self._onboarding_page(request)
            else:
                page = pages.answer(self.world, request)
                answer = page or await self.api.answer(request)
        except http.Hang:
            await http.hang(request)
        except http.Reset:
            await http.reset(request)
        else:
            await http.write(send, answer)

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                self.loops = [
                    asyncio.create_task(timers.run(self.world)),
                    asyncio.create_task(Delivery(self.world).run()),
                ]
                await send({"type": "lifespan.startup.complete"})
            else:
                for loop in self.loops:
                    loop.cancel()
                    with suppress(asyncio.CancelledError):
                        await loop
                self.world.store.db.close()
                await send({"type": "lifespan.shutdown.complete"})
                return

    def _onboarding_page(self, request: Request) -> Answer:
        """The page of an account link: a button instead of Stripe's forms. Links work once and expire."""
        account, _, token = request.path.removeprefix("/setup/e/").partition("/")
        link = self.world.store.setting(f"link/{token}")
        if link is None or link["account"] != account or link["expires_at"] < self.world.now:
            back = (link or {}).get("refresh_url")
            return _redirect(back) if back else _page(410, "This link has expired; ask for a new one.")
        if request.method != "POST":
            return _page(200, f"Onboard {account}?", button=True)
        if dict(parse_qsl(request.body)).get("outcome", "complete") == "complete":
            with self.world.store.transaction():
                onboarding.complete(self.world, account)
                self.world.store.put_setting(f"link/{token}", link | {"expires_at": 0})
        return _redirect(link["return_url"]) if link["return_url"] else _page(200, "Done.")


def _redirect(url: str) -> Answer:
    return Answer(status=303, body=b"", headers={"Location": url})


def _page(status: int, sentence: str, *, button: bool = False) -> Answer:
    form = '<form method="post"><button>Give everything and agree</button></form>' if button else ""
    head = '<!doctype html><link rel="icon" href="data:,"><title>Simulated Stripe</title>'
    body = f"{head}<p>{escape(sentence)}</p>{form}"
    return Answer(status=status, body=body.encode(), content_type="text/html; charset=utf-8")
