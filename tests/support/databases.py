"""One Postgres for the session, one migrated template, one clone per test."""

import asyncio
import os
import secrets
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg

ROOT = Path(__file__).resolve().parents[2]
TEMPLATE = "hobbs_template"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """A running Postgres; `url` is its owner's, to the maintenance database."""

    url: str

    def database(self, name: str) -> str:
        return urlunsplit(urlsplit(self.url)._replace(path=f"/{name}"))


async def run_statement(url: str, statement: str) -> None:
    """Run one administrative statement outside any transaction."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


async def make_template(cluster: Cluster) -> str:
    """Create the database every test's is cloned from, migrated to head by the real command."""
    await run_statement(cluster.url, f"CREATE DATABASE {TEMPLATE}")
    await migrate(cluster.database(TEMPLATE))
    return TEMPLATE


async def migrate(url: str) -> None:
    environment = {**os.environ, "HOBBS_DATABASE_URL": url, "HOBBS_LOG_FORMAT": "console"}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "hobbs", "migrate"),
        cwd=ROOT,
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    if process.returncode != 0:
        raise RuntimeError(f"`hobbs migrate` failed with exit code {process.returncode}:\n{output.decode()}")


@asynccontextmanager
async def cloned(cluster: Cluster, template: str) -> AsyncIterator[str]:
    """Lend a fresh copy of the template; yields its owner's URL."""
    name = f"test_{secrets.token_hex(6)}"
    await run_statement(cluster.url, f"CREATE DATABASE {name} TEMPLATE {template}")
    try:
        yield cluster.database(name)
    finally:
        await run_statement(cluster.url, f"DROP DATABASE {name} WITH (FORCE)")
