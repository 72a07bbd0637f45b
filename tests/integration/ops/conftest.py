"""The operator's commands, run in this process against a real database, logged in as hobbs_operator."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Protocol

import pytest
from typer.testing import CliRunner, Result

from fleet.database import Database
from fleet.envelope import Record
from fleet.inbox import admit, read
from hobbs.cli import assemble
from schemas.flights import FlightCompleted
from tests.support.databases import service_url

NO_KAFKA = "127.0.0.1:1"


class Hobbs(Protocol):
    async def __call__(self, *arguments: str, answer: str | None = None) -> Result: ...


@pytest.fixture
def hobbs(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Hobbs:
    """Run `hobbs ARGUMENTS…`, in a thread because a command has its own event loop; `answer` is typed in."""
    monkeypatch.setenv("HOBBS_DATABASE_URL", service_url(database_url, "operator"))
    monkeypatch.setenv("HOBBS_KAFKA_BOOTSTRAP", NO_KAFKA)
    monkeypatch.setenv("HOBBS_SHARE_ROLES", "1")  # every test's database is on one server

    async def invoke(*arguments: str, answer: str | None = None) -> Result:
        command = assemble([arguments[0]])
        result = await asyncio.to_thread(lambda: CliRunner().invoke(command, arguments, input=answer))
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return invoke


@pytest.fixture
async def owner(database_url: str) -> AsyncIterator[Database]:
    """The database's owner: may do what no service may."""
    database = Database(database_url, schema="ledger", pool_size=1)
    yield database
    await database.close()


async def bury_unreadable(database: Database, records: Sequence[Record]) -> None:
    """Let a service read records as flights; what it cannot read becomes dead letters."""
    async with database.transaction() as tx:
        await admit(tx, records, lambda record: read(record, FlightCompleted))
