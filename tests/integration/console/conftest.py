"""The console's real application over HTTP in this process, on a real Postgres as its own roles."""

import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Protocol

import httpx
import pytest
from pydantic import SecretStr

from console.app import HOLDER_ROLE
from console.context import Console
from console.settings import ConsoleSettings
from console.web import build_web, templates
from fleet.database import Database
from tests.conftest import OpenDatabase
from tests.support.databases import service_url

LINK_SECRET = "only-for-this-machine-0123456789"
ORIGIN = "http://127.0.0.1:8090"


def console_settings(database_url: str, **changed: object) -> ConsoleSettings:
    known: dict[str, object] = {
        "database_url": SecretStr(database_url),
        "kafka_bootstrap": "127.0.0.1:1",
        "console_login": "local",
        "console_local_secret": SecretStr(LINK_SECRET),
    }
    return ConsoleSettings.model_validate(known | changed)


class Browser(httpx.AsyncClient):
    """A browser as far as the console can tell: it keeps cookies and says where a form comes from."""

    async def sign_in(self, name: str) -> httpx.Response:
        return await self.post("/login/local", data={"key": LINK_SECRET, "person": name})

    async def token(self, page: str = "/transfers") -> str:
        """The token of this session's forms, read off a page."""
        found = re.search(r'name="form_token" value="([^"]+)"', (await self.get(page)).text)
        assert found is not None
        return found[1]


@dataclass(slots=True, kw_only=True)
class Desk:
    """A console and the browsers that visit it."""

    console: Console
    opened: Callable[[], Browser]

    async def browser(self, name: str) -> Browser:
        """A browser in which this person is signed in."""
        browser = self.opened()
        assert (await browser.sign_in(name)).status_code == 303
        return browser


class MakeDesk(Protocol):
    def __call__(self, **settings: object) -> Desk: ...


@pytest.fixture
async def make_desk(database_url: str, open_db: OpenDatabase) -> AsyncIterator[MakeDesk]:
    url, browsers, databases = service_url(database_url, "console"), list[Browser](), list[Database]()

    def make(**changed: object) -> Desk:
        settings = console_settings(url, **changed)
        holders = Database(url, schema="console_public", role=HOLDER_ROLE, pool_size=2)
        databases.append(holders)
        console = Console(settings=settings, db=open_db("console"), holders=holders, templates=templates())
        transport = httpx.ASGITransport(build_web(console), raise_app_exceptions=False)

        def opened() -> Browser:
            browser = Browser(
                transport=transport, base_url=settings.origin, headers={"origin": settings.origin}
            )
            browsers.append(browser)
            return browser

        return Desk(console=console, opened=opened)

    yield make
    for browser in browsers:
        await browser.aclose()
    for database in databases:
        await database.close()


@pytest.fixture
def desk(make_desk: MakeDesk) -> Desk:
    return make_desk()
