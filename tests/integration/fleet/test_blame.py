"""Errors as the real driver raises them, and who is to blame."""

import asyncio
from typing import Any

import asyncpg
import pytest

from fleet.database import Database
from fleet.outages import Blame, blame


async def error_of(database: Database, *statements: str, pause_s: float = 0.0, **params: Any) -> Exception:
    """What a transaction of these statements raises; it pauses before the last."""
    try:
        async with database.transaction() as tx:
            for statement in statements[:-1]:
                await tx.execute(statement)
            await asyncio.sleep(pause_s)
            await tx.execute(statements[-1], **params)
    except Exception as error:
        return error
    raise AssertionError("nothing was raised")


async def test_a_session_that_a_time_out_ended_is_an_outage(database: Database) -> None:
    idle = "SET idle_in_transaction_session_timeout = '50ms'"
    error = await error_of(database, idle, "SELECT 1", pause_s=0.5)
    assert getattr(error, "sqlstate", None) is None  # nobody says why the connection is closed
    assert blame(error) is Blame.OUTAGE


async def test_a_statement_that_took_too_long_is_an_outage(database: Database) -> None:
    error = await error_of(database, "SET LOCAL statement_timeout = '50ms'", "SELECT pg_sleep(5)")
    assert blame(error) is Blame.OUTAGE


async def test_a_lock_that_was_not_free_is_an_outage(database: Database, plain_url: str) -> None:
    owner = await asyncpg.connect(plain_url)
    async with owner.transaction():
        await owner.execute("LOCK TABLE sample.effect")
        error = await error_of(database, "SET LOCAL lock_timeout = '50ms'", "DELETE FROM effect")
    await owner.close()
    assert blame(error) is Blame.OUTAGE


@pytest.mark.parametrize(
    ("statement", "params"),
    [
        ("INSERT INTO effect (name) VALUES (:name)", {"name": "x" * 1001}),
        ("INSERT INTO effect (name) VALUES (:name)", {"name": None}),
        ("INSERT INTO effect (name, times) VALUES ('x', :times)", {"times": 2**40}),
        ("INSERT INTO effect (name, times) VALUES ('x', :times)", {"times": "many"}),
        ("INSERT INTO effect (name) VALUES (:name)", {"name": "a\0b"}),
    ],
)
async def test_a_value_the_database_cannot_take_is_the_records_fault(
    database: Database, statement: str, params: dict[str, Any]
) -> None:
    assert blame(await error_of(database, statement, **params)) is Blame.RECORD


async def test_a_table_that_is_not_there_is_the_deployments_fault(database: Database) -> None:
    assert blame(await error_of(database, "SELECT * FROM nothing")) is Blame.DEPLOYMENT
