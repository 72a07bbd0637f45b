"""Database functions are those of the code's files, whatever was there, or nothing changed at all."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest
from sqlalchemy import NullPool, make_url, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine

from fleet.database import Database
from fleet.functions import apply_functions, function_files
from fleet.migrate import migrate
from fleet.revisions import head_revision, pending_migrations, revisions
from hobbs.local.schema_dump import dump_schema
from tests.integration.ops.conftest import Hobbs
from tests.support.databases import PASSWORDS, Cluster, empty, run_statement, service_url

OTHER_TEXT = """
UPDATE ledger.function_file SET sha256 = 'of another release' WHERE name = 'journals.sql';
CREATE OR REPLACE FUNCTION ledger.last_instant() RETURNS timestamptz LANGUAGE sql IMMUTABLE
    AS $$ SELECT '1999-01-01 00:00:00+00'::timestamptz $$;
"""
LAST_INSTANT = "SELECT extract(year FROM ledger.last_instant() AT TIME ZONE 'UTC')::integer"
MAY_CALL = "SELECT has_function_privilege($1, $2, 'execute')"
BLOCKED = """
SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND cardinality(pg_blocking_pids(pid)) > 0
"""


@pytest.fixture
async def owner(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


@pytest.fixture
async def older_url(cluster: Cluster) -> AsyncIterator[str]:
    """The owner's URL of a ledger before its newest revision, as a release without files left it."""
    async with empty(cluster) as url:
        await migrate(url, PASSWORDS, ["ledger"], revisions("ledger")[-2])
        yield url


async def pending(owner_url: str) -> list[str]:
    """What the ledger's readiness check says is missing."""
    database = Database(service_url(owner_url, "ledger"), schema="ledger", pool_size=1)
    try:
        return await pending_migrations(database)
    finally:
        await database.close()


async def apply(owner_url: str, service: str = "gateway", **files: str) -> None:
    """Apply invented files beside those that every service has; the gateway has no functions of its own."""
    files = {**function_files(service), **files}
    engine = create_async_engine(make_url(owner_url).set(drivername="postgresql+asyncpg"), poolclass=NullPool)
    async with engine.begin() as connection:
        await connection.execute(text("SELECT set_config('search_path', :schema, true)"), {"schema": service})
        await connection.run_sync(lambda sync: apply_functions(sync, service, files, anew=False))


async def test_functions_of_another_release_are_told_and_replaced(
    database_url: str, owner: asyncpg.Connection
) -> None:
    before = dump_schema(database_url, "ledger")
    await owner.execute(OTHER_TEXT)
    assert await pending(database_url) == ["ledger functions/journals.sql"]
    await migrate(database_url, PASSWORDS)
    assert await pending(database_url) == []
    assert dump_schema(database_url, "ledger") == before


async def test_functions_that_are_in_force_are_not_touched(
    database_url: str, owner: asyncpg.Connection
) -> None:
    places = (
        "SELECT array_agg(ctid::text ORDER BY oid) FROM pg_proc WHERE pronamespace = 'ledger'::regnamespace"
    )
    before = await owner.fetchval(places)
    await migrate(database_url, PASSWORDS)
    assert await owner.fetchval(places) == before


async def test_a_release_without_files_comes_to_them(cluster: Cluster) -> None:
    async with empty(cluster) as url:
        await migrate(url, PASSWORDS, ["ledger"], head_revision("ledger"))
        assert await pending(url) == [f"ledger functions/{name}" for name in function_files("ledger")]
        await migrate(url, PASSWORDS, ["ledger"])
        assert await pending(url) == []


async def test_files_are_run_again_after_a_migration_that_replaces_their_functions(
    older_url: str, database_url: str
) -> None:
    await apply(older_url, "ledger", **function_files("ledger"))
    await run_statement(
        older_url, "DROP FUNCTION ledger.first_instant(), ledger.last_instant()"
    )  # 0014 makes them
    assert await pending(older_url) == [f"ledger {head_revision('ledger')}"]
    await migrate(older_url, PASSWORDS, ["ledger"])
    assert dump_schema(older_url, "ledger") == dump_schema(database_url, "ledger")


async def test_an_older_schema_is_told_with_its_functions(older_url: str) -> None:
    told = await pending(older_url)
    assert told[0] == f"ledger {head_revision('ledger')}"
    assert len(told) == 1 + len(function_files("ledger"))


async def test_the_doctor_tells_functions_of_another_release(hobbs: Hobbs, owner: asyncpg.Connection) -> None:
    await owner.execute(OTHER_TEXT)
    result = await hobbs("doctor", "-o", "json")
    assert "ledger functions/journals.sql" in result.stdout


async def test_grants_to_our_roles_are_those_of_the_files_and_others_stay(
    database_url: str, owner: asyncpg.Connection
) -> None:
    await owner.execute(OTHER_TEXT)
    await owner.execute("GRANT EXECUTE ON FUNCTION ledger.lock_hold(text, text) TO hobbs_ledger, pg_monitor")
    await owner.execute("REVOKE EXECUTE ON FUNCTION ledger.void_hold(text) FROM hobbs_ledger")
    await owner.execute("GRANT EXECUTE ON FUNCTION ledger.void_hold(text) TO PUBLIC")
    await migrate(database_url, PASSWORDS)
    assert not await owner.fetchval(MAY_CALL, "hobbs_ledger", "ledger.lock_hold(text, text)")
    assert await owner.fetchval(MAY_CALL, "pg_monitor", "ledger.lock_hold(text, text)")
    assert await owner.fetchval(MAY_CALL, "hobbs_ledger", "ledger.void_hold(text)")
    assert not await owner.fetchval(MAY_CALL, "hobbs_reader", "ledger.void_hold(text)")


async def test_a_function_that_left_the_files_is_dropped_and_one_made_by_hand_stays(
    database_url: str, owner: asyncpg.Connection
) -> None:
    await owner.execute("SET check_function_bodies = off")
    await owner.execute(
        "CREATE FUNCTION ledger.broken() RETURNS text LANGUAGE sql AS 'SELECT no_such_column'"
    )
    for name in ("left_the_files", "made_by_hand"):
        await owner.execute(
            f"CREATE FUNCTION ledger.{name}(a text) RETURNS text LANGUAGE sql AS $$ SELECT a $$"
        )
    await owner.execute(
        "INSERT INTO ledger.function_file VALUES ('old.sql', 'of another release', '{left_the_files(text)}')"
    )
    assert await pending(database_url) == ["ledger functions/old.sql"]
    await migrate(database_url, PASSWORDS)
    assert await pending(database_url) == []
    assert await owner.fetchval("SELECT to_regprocedure('ledger.left_the_files(text)')") is None
    assert await owner.fetchval("SELECT to_regprocedure('ledger.made_by_hand(text)')")
    assert await owner.fetchval("SELECT to_regprocedure('ledger.broken()')")


async def test_a_file_may_call_functions_of_a_later_one(database_url: str, owner: asyncpg.Connection) -> None:
    await apply(
        database_url,
        a="CREATE OR REPLACE FUNCTION first() RETURNS integer LANGUAGE sql AS 'SELECT gateway.second()'",
        b="CREATE OR REPLACE FUNCTION second() RETURNS integer LANGUAGE sql AS 'SELECT 2'",
    )
    assert await owner.fetchval("SELECT gateway.first()") == 2


@pytest.mark.parametrize(
    "body", ["LANGUAGE sql AS 'SELECT gateway.third()'", "LANGUAGE plpgsql AS 'BEGIN RETRUN 1; END'"]
)
async def test_a_body_that_cannot_be_read_is_refused(
    database_url: str, owner: asyncpg.Connection, body: str
) -> None:
    with pytest.raises(DBAPIError) as refused:
        await apply(database_url, a=f"CREATE OR REPLACE FUNCTION first() RETURNS integer {body}")
    assert refused.value.__notes__ == ["in services/gateway/functions/a"]
    assert await owner.fetchval("SELECT to_regprocedure('gateway.first()')") is None


async def test_other_arguments_leave_nothing_of_the_old_function(
    database_url: str, owner: asyncpg.Connection
) -> None:
    made = "CREATE OR REPLACE FUNCTION sum({}) RETURNS integer LANGUAGE sql AS 'SELECT 1';"
    grant = "GRANT EXECUTE ON FUNCTION sum({}) TO hobbs_gateway;"
    for arguments in ("integer", "integer, integer DEFAULT 0"):
        types = arguments.removesuffix(" DEFAULT 0")
        await apply(database_url, a=made.format(arguments) + grant.format(types))
    assert await owner.fetchval("SELECT to_regprocedure('gateway.sum(integer)')") is None
    assert await owner.fetchval("SELECT gateway.sum(1)") == 1
    assert await owner.fetchval(MAY_CALL, "hobbs_gateway", "gateway.sum(integer, integer)")


async def test_functions_that_cannot_be_applied_leave_the_older_revision(older_url: str) -> None:
    connection = await asyncpg.connect(older_url)
    await connection.execute(
        "DROP FUNCTION ledger.entry_line(text, text, bigint);"
        "CREATE FUNCTION ledger.entry_line(text, text, bigint) RETURNS integer LANGUAGE sql AS 'SELECT 1'"
    )
    before = dump_schema(older_url, "ledger")
    with pytest.raises(asyncpg.InvalidFunctionDefinitionError) as refused:
        await migrate(older_url, PASSWORDS, ["ledger"])
    assert refused.value.__notes__ == ["in services/ledger/functions/journals.sql"]
    assert dump_schema(older_url, "ledger") == before
    assert (
        await connection.fetchval("SELECT version_num FROM ledger.alembic_version") == revisions("ledger")[-2]
    )
    await connection.execute("DROP FUNCTION ledger.entry_line(text, text, bigint)")
    await connection.close()
    await migrate(older_url, PASSWORDS, ["ledger"])
    assert await pending(older_url) == []


async def test_a_migration_that_is_killed_in_its_functions_changes_nothing(
    database_url: str, owner: asyncpg.Connection
) -> None:
    await owner.execute(OTHER_TEXT)
    before = dump_schema(database_url, "ledger")
    holder = await asyncpg.connect(database_url)
    async with holder.transaction():
        await holder.execute(
            "SELECT FROM ledger.function_file FOR UPDATE"
        )  # noted last, so all were replaced
        migrating = asyncio.create_task(migrate(database_url, PASSWORDS, ["ledger"]))
        async with asyncio.timeout(20):
            while not (pid := await owner.fetchval(BLOCKED)):
                assert not migrating.done()
        await owner.execute("SELECT pg_terminate_backend($1)", pid)
        with pytest.raises(Exception, match="terminating connection"):
            await migrating
    await holder.close()
    assert await owner.fetchval(LAST_INSTANT) == 1999
    assert dump_schema(database_url, "ledger") == before
    await migrate(database_url, PASSWORDS, ["ledger"])
    assert await owner.fetchval(LAST_INSTANT) == 2201


async def test_two_migrations_at_once_apply_functions_once(older_url: str) -> None:
    await asyncio.gather(*(migrate(older_url, PASSWORDS, ["ledger"]) for _ in range(2)))
    assert await pending(older_url) == []
