"""The second schemas of a service, as the database's owner: made, put in the live one's place, or dropped.

The schema beside is made by the service's own migrations, in one transaction in which the live one has
another name: nobody else sees that. Names are the service's, which are ours.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from fleet.beside import BEFORE, PUBLIC, twin
from fleet.migrate import make_anew, owner_engine
from fleet.revisions import head_revision

ASIDE: Final = "_aside"
LOCK_TIMEOUT: Final = "10s"
# Taken over as they are, since topics do not say them: what the service was about to publish, what it has
# published, how far it had read, when its jobs ran, what became of its dead letters, what invariants said.
CARRIED: Final = ("outbox", "outbox_sent", "topic_position", "timer", "dead_letter", "invariant_outcome")
# Of one service: what people proposed and decided beside what its topics say.
CARRIED_OF: Final[Mapping[str, Sequence[str]]] = {"billing": ("rate_proposal", "book_word")}


class NotSwapped(Exception):
    """The schema beside cannot take the live one's place; the sentence says why, and nothing was changed."""


@asynccontextmanager
async def owner_of(url: str) -> AsyncIterator[AsyncEngine]:
    """The database as its owner, who may make schemas."""
    engine = owner_engine(url)
    try:
        yield engine
    finally:
        await engine.dispose()


async def schemas_there(engine: AsyncEngine, service: str) -> set[str]:
    """Which of `billing`, `billing_rebuilt` and `billing_before` there are."""
    names = [service, twin(service), twin(service, BEFORE)]
    async with engine.connect() as connection:
        found = await connection.execute(_THERE, {"names": names})
        return set(found.scalars())


async def revision_beside(engine: AsyncEngine, service: str) -> str | None:
    """The revision that the schema beside was made at."""
    async with engine.connect() as connection:
        query = await _formatted(connection, _REVISION, twin(service))
        return str((await connection.execute(text(query))).scalar_one())


def is_of_this_release(service: str, revision: str | None) -> bool:
    """Whether it was made by this code's migrations."""
    return revision == head_revision(service)


async def make(engine: AsyncEngine, service: str) -> None:
    """Make an empty schema beside the live one, with its tables, views, functions and rights."""
    async with engine.begin() as connection:
        await _rename(connection, service, twin(service, ASIDE))
        await make_anew(connection, service)
        await _rename(connection, service, twin(service))
        await _rename(connection, twin(service, ASIDE), service)
        await _refuse_named_triggers(connection, service)


async def drop(engine: AsyncEngine, service: str, suffix: str) -> bool:
    """Drop the schema beside, or the one that was replaced; whether there was one."""
    async with engine.begin() as connection:
        there = set((await connection.execute(_THERE, {"names": [twin(service, suffix)]})).scalars())
        for name in (twin(service + PUBLIC, suffix), twin(service, suffix)):
            await connection.execute(text(f"DROP SCHEMA IF EXISTS {name} CASCADE"))
    return bool(there)


@asynccontextmanager
async def fenced(engine: AsyncEngine, service: str) -> AsyncIterator[AsyncConnection]:
    """A transaction in which the service is stopped, and nobody can write its live tables.

    Raises NotSwapped when a session of the service's is open, or somebody holds a lock of its tables.
    """
    async with engine.begin() as connection:
        sessions = (await connection.execute(_SESSIONS, {"role": f"hobbs_{service}"})).scalar_one()
        if sessions:
            raise NotSwapped(f"{service} is at work ({sessions} sessions): stop its workers first")
        await connection.execute(text(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'"))
        await connection.execute(text("SET LOCAL statement_timeout = 0"))
        await connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
        for name in await _tables(connection, service):
            lock = await _formatted(connection, "LOCK TABLE %I.%I IN EXCLUSIVE MODE", service, name)
            await connection.execute(text(lock))
        yield connection


@dataclass(frozen=True, slots=True, kw_only=True)
class TimesOf:
    """The columns of a table that hold when a row was handled, and its key."""

    table: str
    key: Sequence[str]
    times: Sequence[str]


async def swap(
    connection: AsyncConnection, service: str, times: Sequence[TimesOf], *, said: str
) -> Mapping[str, int]:
    """Put the schema beside in the live one's place, inside `fenced`; rows taken over, by table.

    said: who, when and why, kept with the schema. The replaced one stays, and nobody but the owner sees it.
    """
    beside, taken = twin(service), dict[str, int]()
    await _set_triggers(connection, service, on=False)
    for one in times:
        taken[one.table] = await _take_times(connection, service, one)
    await _execute(connection, _KEEP_INBOX, beside, service)
    await _execute(connection, _DROP_SAME_LETTERS, beside, service)
    for table in (*CARRIED, *CARRIED_OF.get(service, ())):
        if table != "dead_letter":
            await _execute(connection, "DELETE FROM %I.%I", beside, table)
        taken[table] = await _execute(
            connection,
            _TAKE_OVER,
            beside,
            table,
            service,
            table,
        )
    await _execute(connection, _KEEP_NUMBERS, beside, service)
    await _set_triggers(connection, service, on=True)
    await _rename(connection, service, twin(service, BEFORE))
    await _rename(connection, beside, service)
    await _execute(connection, "COMMENT ON SCHEMA %I IS %L", service, said)
    for name in (twin(service, BEFORE), twin(service + PUBLIC, BEFORE)):
        for grantee in (await connection.execute(_GRANTEES, {"schema": name})).scalars().all():
            for statement in _TAKE_BACK:
                await _execute(connection, statement, name, grantee)
    return taken


async def _tables(connection: AsyncConnection, schema: str) -> list[str]:
    return list((await connection.execute(_TABLES, {"schema": schema})).scalars())


async def _rename(connection: AsyncConnection, name: str, other: str) -> None:
    """Rename a service's schema and the one of its views."""
    public = twin_public(name), twin_public(other)
    await connection.execute(text(f"ALTER SCHEMA {name} RENAME TO {other}"))
    await connection.execute(text(f"ALTER SCHEMA {public[0]} RENAME TO {public[1]}"))


def twin_public(schema: str) -> str:
    """The schema of the views that belongs to one of tables."""
    return f"{schema}{PUBLIC}"


async def _take_times(connection: AsyncConnection, service: str, one: TimesOf) -> int:
    statement = (
        await connection.execute(
            _TIMES,
            {
                "beside": twin(service),
                "live": service,
                "table": one.table,
                "key": list(one.key),
                "times": list(one.times),
            },
        )
    ).scalar_one()
    return (await connection.execute(text(_escaped(statement)))).rowcount


async def _set_triggers(connection: AsyncConnection, service: str, *, on: bool) -> None:
    """Switch the triggers of the schema beside off, or on again as the live ones are."""
    parameters = {"schema": twin(service), "live": service, "on": on}
    for statement in (await connection.execute(_TRIGGERS, parameters)).scalars().all():
        await connection.execute(text(_escaped(statement)))


async def _refuse_named_triggers(connection: AsyncConnection, service: str) -> None:
    """A trigger of the schema beside whose function names a schema would write to the live one."""
    found = await connection.execute(_NAMED_TRIGGERS, {"schema": twin(service), "service": service})
    if names := list(found.scalars()):
        raise NotSwapped(f"functions of {service}'s triggers name its schema: {', '.join(names)}")


async def _execute(connection: AsyncConnection, template: str, *names: str) -> int:
    return (await connection.execute(text(_escaped(await _formatted(connection, template, *names))))).rowcount


async def _formatted(connection: AsyncConnection, template: str, *names: str) -> str:
    """The statement with its names in place, quoted by PostgreSQL."""
    found = await connection.execute(_FORMAT, {"template": template, "names": list(names)})
    statement: str = found.scalar_one()
    return statement


def _escaped(statement: str) -> str:
    """A statement in which a colon is no parameter."""
    return statement.replace(":", r"\:")


_FORMAT: Final = text("SELECT format(:template, VARIADIC CAST(:names AS text[]))")
_THERE: Final = text("SELECT nspname FROM pg_namespace WHERE nspname = ANY (CAST(:names AS text[]))")
_REVISION: Final = "SELECT version_num FROM %I.alembic_version"
_SESSIONS: Final = text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND usename = :role"
)
_TABLES: Final = text("""
    SELECT relname FROM pg_class
    WHERE relnamespace = CAST(quote_ident(:schema) AS regnamespace) AND relkind = 'r' ORDER BY relname
""")
_GRANTEES: Final = text("""
    SELECT DISTINCT CASE a.grantee WHEN 0 THEN 'public' ELSE quote_ident(pg_get_userbyid(a.grantee)) END
    FROM pg_namespace AS n, aclexplode(n.nspacl) AS a
    WHERE n.nspname = :schema AND a.grantee <> n.nspowner
""")
_TAKE_BACK: Final = (
    "REVOKE ALL ON SCHEMA %I FROM %s",
    "REVOKE ALL ON ALL TABLES IN SCHEMA %I FROM %s",
    "REVOKE ALL ON ALL SEQUENCES IN SCHEMA %I FROM %s",
    "REVOKE ALL ON ALL FUNCTIONS IN SCHEMA %I FROM %s",
)
# What the live service remembers it must remember afterwards, and since when (docs/decisions/0341).
_KEEP_INBOX: Final = """
    INSERT INTO %I.inbox SELECT * FROM %I.inbox
    ON CONFLICT (event_key) DO UPDATE SET admitted_at = excluded.admitted_at
"""
_TAKE_OVER: Final = "INSERT INTO %I.%I OVERRIDING SYSTEM VALUE SELECT * FROM %I.%I"
_DROP_SAME_LETTERS: Final = """
    DELETE FROM %I.dead_letter AS made USING %I.dead_letter AS live
    WHERE (made.topic, made.identity) = (live.topic, live.identity)
"""
_KEEP_NUMBERS: Final = """
    SELECT setval(pg_get_serial_sequence('%I.outbox', 'id'),
                  greatest(nextval(pg_get_serial_sequence('%I.outbox', 'id')), 1))
"""
_TIMES: Final = text("""
    SELECT format('UPDATE %I.%I AS made SET %s FROM %I.%I AS live WHERE %s', CAST(:beside AS text),
                  CAST(:table AS text),
                  (SELECT string_agg(format('%I = live.%I', name, name), ', ')
                   FROM unnest(CAST(:times AS text[])) AS name),
                  CAST(:live AS text), CAST(:table AS text),
                  (SELECT string_agg(format('made.%I = live.%I', name, name), ' AND ')
                   FROM unnest(CAST(:key AS text[])) AS name))
""")
_TRIGGERS: Final = text("""
    SELECT format('ALTER TABLE %s %s TRIGGER %I', tgrelid::regclass,
                  CASE WHEN NOT CAST(:on AS boolean) THEN 'DISABLE'
                       WHEN tgname IN (SELECT made.tgname FROM pg_trigger AS made
                                       JOIN pg_class AS live ON live.oid = made.tgrelid
                                       WHERE live.relname = c.relname AND made.tgenabled = 'A'
                                         AND live.relnamespace = CAST(quote_ident(:live) AS regnamespace))
                       THEN 'ENABLE ALWAYS' ELSE 'ENABLE' END, tgname)
    FROM pg_trigger AS t JOIN pg_class AS c ON c.oid = t.tgrelid
    WHERE c.relnamespace = CAST(quote_ident(:schema) AS regnamespace) AND NOT tgisinternal
""")
_NAMED_TRIGGERS: Final = text("""
    SELECT DISTINCT p.proname FROM pg_trigger AS t JOIN pg_class AS c ON c.oid = t.tgrelid
    JOIN pg_proc AS p ON p.oid = t.tgfoid
    WHERE c.relnamespace = CAST(quote_ident(:schema) AS regnamespace) AND NOT tgisinternal
      AND (p.proconfig IS NOT NULL OR p.prosrc ~ ('\\m' || :service || '(_public)?\\.'))
""")
