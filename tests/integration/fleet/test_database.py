"""Questions outside a transaction, and transactions on the connection that was lent for them."""

import asyncio
from contextlib import nullcontext

import asyncpg
import pytest
from sqlalchemy.exc import DBAPIError

from fleet.database import Database, InsideTransaction
from fleet.driver import Connection


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


async def test_a_question_by_the_driver_sees_the_same_schema_as_everything_else(
    database: Database, plain_url: str
) -> None:
    asking = Database(plain_url, schema="sample", pool_size=2)
    said = await asyncio.gather(
        *(asking.ask("SELECT current_schema() AS schema, $1::int AS number", n) for n in range(20))
    )
    shown = await asking.ask("SELECT current_setting('statement_timeout') AS limited")
    await asking.close()
    assert [(row["schema"], row["number"]) for row in said if row] == [("sample", n) for n in range(20)]
    assert shown is not None
    assert shown["limited"] == "1min"


async def test_a_question_by_the_driver_goes_to_the_socket_that_the_url_names() -> None:
    asking = Database("postgresql://who:what@/hobbs?host=/nowhere", schema="sample", pool_size=1)
    with pytest.raises(OSError, match=r"/nowhere/\.s\.PGSQL|No such file"):
        await asking.ask("SELECT 1")
    await asking.close()


async def test_a_rehearsal_lets_nobody_ask_past_it(one_connection: Database) -> None:
    one_connection.watch = lambda _: nullcontext()
    with pytest.raises(InsideTransaction):
        await one_connection.ask("SELECT 1")
    await one_connection.close()


async def test_a_connection_asks_nothing_about_types_that_another_was_told_of(
    database: Database, plain_url: str
) -> None:
    """uuid[] is the same type everywhere; what a database made itself is asked for in each."""
    await told_types(plain_url, "SELECT ARRAY[gen_random_uuid()] AS found")
    assert await told_types(plain_url, "SELECT ARRAY[gen_random_uuid()] AS found") == 0
    owner = await asyncpg.connect(plain_url)
    await owner.execute("CREATE TYPE pair AS (left_of bigint, right_of uuid[])")
    await owner.close()
    for _ in range(2):
        assert await told_types(plain_url, "SELECT CAST(ROW(1, ARRAY[]::uuid[]) AS pair) AS found") > 0


async def told_types(url: str, sql: str) -> int:
    """How many statements a new connection ran beside this one."""
    connection = await asyncpg.connect(url, connection_class=Connection)
    ran: list[str] = []
    with connection.query_logger(lambda logged: ran.append(logged.query)):
        await connection.fetch(sql)
    await connection.close()
    return len([one for one in ran if one != sql])
