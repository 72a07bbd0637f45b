"""Questions outside a transaction, and transactions on the connection that was lent for them."""

import asyncpg
import pytest
from sqlalchemy.exc import DBAPIError

from fleet.database import Database


@pytest.fixture
async def one_connection(database: Database, plain_url: str) -> Database:
    return Database(plain_url, schema="sample", pool_size=1)


async def write_and_fail(database: Database) -> None:
    async with database.transaction() as tx:
        await tx.execute("INSERT INTO effect (name) VALUES ('taken back')")
        await tx.one("SELECT 1 / 0 AS nothing")


async def test_questions_see_a_moment_each(one_connection: Database) -> None:
    async with one_connection.autocommit() as asking:
        moments = [(await asking.one("SELECT now() AS at")).at for _ in range(3)]
    async with one_connection.transaction() as tx:
        together = [(await tx.one("SELECT now() AS at")).at for _ in range(3)]
    await one_connection.close()
    assert len(set(moments)) == 3
    assert len(set(together)) == 1


async def test_a_connection_that_answered_questions_rolls_back_again(
    one_connection: Database, plain_url: str
) -> None:
    async with one_connection.autocommit() as asking:
        await asking.one("SELECT 1 AS one")
    with pytest.raises(DBAPIError, match="division by zero"):
        await write_and_fail(one_connection)
    await one_connection.close()
    owner = await asyncpg.connect(plain_url)
    assert await owner.fetchval("SELECT count(*) FROM sample.effect") == 0
    await owner.close()


async def test_a_failed_question_leaves_the_connection_usable(one_connection: Database) -> None:
    with pytest.raises(DBAPIError, match="division by zero"):
        async with one_connection.autocommit() as asking:
            await asking.one("SELECT 1 / 0 AS nothing")
    async with one_connection.autocommit() as asking:
        assert (await asking.one("SELECT 1 AS one")).one == 1
    await one_connection.close()
