"""Workers as their composition roots make them, and not started: a test hands them batches."""

import importlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass

import asyncpg
import pytest

from fleet.database import Database
from fleet.envelope import Record
from fleet.shared_batches import Handler
from fleet.worker import Worker
from tests.support.databases import service_url


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A service's worker that is not started: its handlers, and the owner of its schema."""

    worker: Worker
    owner: asyncpg.Connection

    @property
    def db(self) -> Database:
        return self.worker.database

    def handlers(self) -> dict[str, Handler]:
        return {consumer.topic: consumer.shared.handler for consumer in self.worker._consumers._consumers}

    async def handle(self, topic: str, batch: Sequence[Record]) -> None:
        await self.handlers()[topic](batch)

    async def letters(self) -> list[tuple[str, int]]:
        rows = await self.owner.fetch('SELECT reason, "offset" FROM dead_letter ORDER BY id')
        return [(row["reason"], row["offset"]) for row in rows]

    async def admitted(self) -> int:
        return int(await self.owner.fetchval("SELECT count(*) FROM inbox"))


Build = Callable[[str], Awaitable[Service]]


@pytest.fixture
async def build(database_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Build]:
    """Build a service's worker on the test's database: `await build("ledger")`."""
    built: list[Service] = []

    async def built_one(name: str) -> Service:
        monkeypatch.setenv("HOBBS_DATABASE_URL", service_url(database_url, name))
        monkeypatch.setenv("HOBBS_KAFKA_BOOTSTRAP", "127.0.0.1:1")
        monkeypatch.setenv("HOBBS_STRIPE_SECRET_KEY", "sk_test_nobody")
        owner = await asyncpg.connect(database_url, server_settings={"search_path": name})
        built.append(Service(worker=importlib.import_module(f"services.{name}.app").build(), owner=owner))
        return built[-1]

    yield built_one
    for service in built:
        for hook in service.worker._stop:
            await hook()
        await service.db.close()
        await service.owner.close()
