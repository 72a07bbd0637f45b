"""A schema with nothing but fleet's tables: the machinery is tested without any service."""

import secrets
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

import fleet
from fleet.database import Database
from tests.support.databases import Cluster, run_statement

SQL = Path(fleet.__file__).parent / "sql"


@pytest.fixture
async def plain_url(cluster: Cluster) -> AsyncIterator[str]:
    """The owner's URL of an empty database."""
    name = f"fleet_{secrets.token_hex(6)}"
    await run_statement(cluster.url, f"CREATE DATABASE {name}")
    yield cluster.database(name)
    await run_statement(cluster.url, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
async def database(plain_url: str) -> AsyncIterator[Database]:
    """A database whose schema `sample` has fleet's tables and a table `effect`."""
    connection = await asyncpg.connect(plain_url)
    await connection.execute("CREATE SCHEMA sample; SET search_path TO sample")
    for file in ("fleet_tables.sql", "position.sql", "invariant_outcome.sql"):
        await connection.execute((SQL / file).read_text())
    for file in ("asked_decision.sql", "sent_rows.sql"):
        script = (SQL / file).read_text()
        await connection.execute(script[: script.index("GRANT")])  # there is no role of this schema
    await connection.execute(
        "CREATE TABLE effect (name varchar(1000) PRIMARY KEY, times integer NOT NULL DEFAULT 1)"
    )
    await connection.close()
    database = Database(plain_url, schema="sample", pool_size=8)
    yield database
    await database.close()
