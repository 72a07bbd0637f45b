import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest
from typer.testing import CliRunner, Result

from fleet.database import Database
from hobbs.cli import assemble
from tests.conftest import OpenDatabase
from tests.integration.ledger.books import Hobbs
from tests.support.databases import service_url
from tests.support.invariants import broken_invariants


@pytest.fixture
async def ledger(open_db: OpenDatabase) -> AsyncIterator[Database]:
    """The ledger's own database; whatever a test did, its books must be in order at the end."""
    database = open_db("ledger", pool_size=8)
    yield database
    assert await broken_invariants(database) == {}


@pytest.fixture
async def owner(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    """The owner of the tables: no grant stops it, only triggers and constraints do."""
    connection = await asyncpg.connect(database_url, server_settings={"search_path": "ledger"})
    yield connection
    await connection.close()


@pytest.fixture
def hobbs(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Hobbs:
    """Run `hobbs ARGUMENTS…` in a thread: a command has its own event loop."""
    monkeypatch.setenv("HOBBS_DATABASE_URL", service_url(database_url, "operator"))
    monkeypatch.setenv("HOBBS_KAFKA_BOOTSTRAP", "127.0.0.1:1")

    async def invoke(*arguments: str) -> Result:
        command = assemble([arguments[0]])
        return await asyncio.to_thread(lambda: CliRunner().invoke(command, arguments))

    return invoke
