from collections.abc import AsyncIterator

import asyncpg
import pytest

from fleet.database import Database
from tests.conftest import OpenDatabase
from tests.integration.ledger.books import broken_invariants


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
