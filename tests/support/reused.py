"""Databases that tests use one after another: what a test wrote is taken out, which is quicker than a clone.

A database is used again only if nothing but rows and sequences differs from the template. Whoever changed a
table, a right, a function or a statistic leaves it unlike the template, and it is dropped.
"""

import contextlib
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any, Final

import asyncpg

from tests.support.databases import Cluster, Template, clone, drop

# A change of a definition writes a row of one of these: another count, or a later transaction.
CATALOGS: Final = (
    "pg_attribute",
    "pg_attrdef",
    "pg_proc",
    "pg_type",
    "pg_constraint",
    "pg_index",
    "pg_namespace",
    "pg_policy",
    "pg_default_acl",
    "pg_rewrite",
    "pg_extension",
    "pg_event_trigger",
    "pg_largeobject_metadata",
    "pg_inherits",
    "pg_description",
    "pg_statistic",
    "pg_statistic_ext",
)
LATEST: Final = ", ".join(
    f"(SELECT (count(*), max(xmin::text::bigint))::text FROM {catalog})"  # noqa: S608
    for catalog in CATALOGS
)
# Without the columns that emptying a table and switching its triggers off and on again write too.
DEFINED: Final = f"""
    SELECT ARRAY[{LATEST},
        (SELECT md5(string_agg((oid, relname, relnamespace, relowner, relacl, reloptions, relkind,
                                relrowsecurity, relforcerowsecurity, relpersistence)::text, '' ORDER BY oid))
         FROM pg_class),
        (SELECT md5(string_agg((oid, tgrelid, tgname, tgfoid, tgtype, tgenabled, tgqual)::text, ''
                               ORDER BY oid))
         FROM pg_trigger),
        (SELECT (datacl, datconnlimit, datallowconn, datdba)::text
         FROM pg_database WHERE datname = current_database()),
        (SELECT string_agg((setrole, setconfig)::text, '' ORDER BY setrole)
         FROM pg_db_role_setting JOIN pg_database ON pg_database.oid = setdatabase
         WHERE datname = current_database()),
        (SELECT string_agg(description, '') FROM pg_shdescription JOIN pg_database ON pg_database.oid = objoid
         WHERE datname = current_database())
    ]
"""  # noqa: S608
TABLES: Final = """
    SELECT c.oid::regclass::text AS named FROM pg_class AS c
    WHERE c.relkind = 'r' AND c.relnamespace >= 16384 AND c.relpersistence <> 't' ORDER BY 1
"""
SEQUENCES: Final = """
    SELECT format('%I.%I', schemaname, sequencename) AS named, last_value, start_value FROM pg_sequences
"""
SET_BACK: Final = "SELECT setval($1::text::regclass, $2, $3)"
OTHERS_LEAVE: Final = """
    SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
# The tables with a file that is not empty, and those that refer to them.
FILLED: Final = """
    WITH RECURSIVE filled(oid) AS (
        SELECT oid FROM pg_class
        WHERE relkind = 'r' AND relnamespace >= 16384 AND relpersistence <> 't'
          AND pg_relation_size(oid) > 0 AND oid::regclass::text <> ALL($1::text[])
        UNION SELECT conrelid FROM pg_constraint JOIN filled ON confrelid = filled.oid WHERE contype = 'f'
    )
    SELECT oid::regclass::text AS named,
           array(SELECT tgname::text FROM pg_trigger WHERE tgrelid = filled.oid AND tgenabled = 'A') AS guards
    FROM filled ORDER BY 1
"""
COLUMNS: Final = """
    SELECT string_agg(quote_ident(attname), ', ') FROM pg_attribute
    WHERE attrelid = $1::text::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
"""


# What a test did to the database or its sessions may end ours too; then it is dropped.
LOST: Final = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError)


@dataclass(slots=True, kw_only=True)
class Contents:
    """What a fresh clone holds.

    seeds: of each table that has rows, these as JSON; known: what tells whether somebody wrote one.
    """

    defined: list[Any]
    sequences: Mapping[str, int | None]
    seeds: Mapping[str, str]
    known: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Used:
    """A database that is lent, or waits to be."""

    name: str
    url: str
    contents: Contents


class Reused:
    """A session's databases; `lent` yields the owner's URL of one that is as fresh as a clone."""

    def __init__(self, cluster: Cluster, template: Template) -> None:
        self._cluster = cluster
        self._template = template
        self._free: list[Used] = []
        self._fresh: Contents | None = None

    @asynccontextmanager
    async def lent(self) -> AsyncIterator[str]:
        used = self._free.pop() if self._free else await self._made()
        try:
            yield used.url
        finally:
            if await self._is_fresh_again(used):
                self._free.append(used)
            else:
                await drop(self._cluster, used.name)

    async def _made(self) -> Used:
        name = f"test_{secrets.token_hex(6)}"
        await clone(self._cluster, self._template, name)
        url = self._cluster.database(name)
        if self._fresh is None:
            async with connected(url) as connection:
                self._fresh = await contents_of(connection)
        known = dict(self._fresh.known)
        return Used(name=name, url=url, contents=replace(self._fresh, known=known))

    async def _is_fresh_again(self, used: Used) -> bool:
        with contextlib.suppress(*LOST):
            async with connected(used.url) as connection:
                await connection.execute(OTHERS_LEAVE)
                if await connection.fetchval(DEFINED) == used.contents.defined:
                    await empty(connection, used.contents)
                    return True
        return False


@asynccontextmanager
async def connected(url: str) -> AsyncIterator["asyncpg.Connection[Any]"]:
    connection = await asyncpg.connect(url, statement_cache_size=0)
    try:
        yield connection
    finally:
        await connection.close()


async def contents_of(connection: "asyncpg.Connection[Any]") -> Contents:
    """What the template holds, read from a fresh clone."""
    tables = [row["named"] for row in await connection.fetch(TABLES)]
    seeded = [named for named in tables if await connection.fetchval(f"SELECT EXISTS (SELECT FROM {named})")]  # noqa: S608
    return Contents(
        defined=await connection.fetchval(DEFINED),
        sequences={row["named"]: row["last_value"] for row in await connection.fetch(SEQUENCES)},
        seeds={
            named: await connection.fetchval(f"SELECT json_agg(one) FROM {named} AS one")  # noqa: S608
            for named in seeded
        },
        known=await known(connection, seeded),
    )


async def known(connection: "asyncpg.Connection[Any]", tables: list[str]) -> dict[str, str]:
    """Of each table the number of rows and the latest transaction that wrote one."""
    asked = [
        f"SELECT '{named}' AS named, (count(*), max(xmin::text::bigint))::text AS latest FROM {named}"  # noqa: S608
        for named in tables
    ]
    return {row["named"]: row["latest"] for row in await connection.fetch(" UNION ALL ".join(asked))}


async def empty(connection: "asyncpg.Connection[Any]", contents: Contents) -> None:
    """Take out every row that the template does not have, and put those back that it has."""
    now = await known(connection, list(contents.seeds))
    same = [named for named, latest in contents.known.items() if now[named] == latest]
    filled = {row["named"]: row["guards"] for row in await connection.fetch(FILLED, same)}
    if filled:
        guards = [(named, guard) for named, found in filled.items() for guard in found]
        statements = ["SET LOCAL session_replication_role = replica"]
        statements += [f'ALTER TABLE {named} DISABLE TRIGGER "{guard}"' for named, guard in guards]
        statements.append("TRUNCATE " + ", ".join(filled))
        again = [named for named in filled if named in contents.seeds]
        async with connection.transaction():
            await connection.execute("; ".join(statements))
            for named in again:
                columns = await connection.fetchval(COLUMNS, named)
                await connection.execute(
                    f"INSERT INTO {named} ({columns}) OVERRIDING SYSTEM VALUE"  # noqa: S608
                    f" SELECT {columns} FROM json_populate_recordset(NULL::{named}, $1)",
                    contents.seeds[named],
                )
            if guards:
                back = [f'ALTER TABLE {named} ENABLE ALWAYS TRIGGER "{guard}"' for named, guard in guards]
                await connection.execute("; ".join(back))
        if again:
            contents.known.update(await known(connection, again))
    for row in await connection.fetch(SEQUENCES):
        last = contents.sequences[row["named"]]
        if row["last_value"] != last:
            back_to = row["start_value"] if last is None else last
            await connection.execute(SET_BACK, row["named"], back_to, last is not None)
