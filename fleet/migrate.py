"""Migrations: one Alembic history per service, in the service's own schema, run by the schema's owner.

After the newest revision come the service's functions (fleet.functions), in the same transaction: a migration
that is killed leaves revision and functions as they were.

Roles: `hobbs_<service>` logs in and owns nothing; `hobbs_reader` may read every `*_public` schema;
`hobbs_operator` (the command line) is a member of every service role and acts as one at a time.
"""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path

from alembic import command, context, op
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, pool, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from fleet.database import IDLE_IN_TRANSACTION_TIMEOUT_MS
from fleet.database_url import address
from fleet.excess import take_excess_away
from fleet.folders import CONSOLE, folder_of
from fleet.functions import apply_functions, function_files, run_script
from fleet.grants import FINANCE, OPERATIONS, OPERATOR, READER, give_missing_grants
from fleet.revisions import migrated
from fleet.scram import verifier

_SQL = Path(__file__).parent / "sql"


class RolesOfAnother(Exception):
    """The server's roles are another school's; the message names its database."""


async def migrate(
    url: str,
    passwords: Mapping[str, str],
    only: Sequence[str] | None = None,
    revision: str = "head",
    *,
    share_roles: bool = True,
    exact_rights: bool = True,
) -> list[str]:
    """Bring roles, schemas, tables and functions of every service and the console to this code's.

    Returns who was migrated.

    `url` logs in as the owner of the database. `passwords` maps a service, or "operator", to the password
    of its role; a role without one keeps what it has, and a new one cannot log in. Another `revision` than
    "head" is for tests of released ones: it is reached by migrations alone.

    Roles are the server's, not the database's. When those of Hobbs are used by another database, this raises
    RolesOfAnother and changes nothing, unless `share_roles`; `hobbs migrate` shares them only when told to.

    Without `exact_rights` they are what migrations and functions gave: schema.sql is written from that.
    """
    chosen = list(only) if only is not None else migrated()
    engine = owner_engine(url)
    try:
        async with engine.begin() as connection:
            await connection.execute(
                text("SELECT pg_advisory_xact_lock(hashtextextended('hobbs:migrate', 0))")
            )
            if not share_roles:
                await _refuse_roles_of_another(connection)
            await _prepare(connection, chosen, passwords)
        for service in chosen:
            async with engine.begin() as connection:
                await connection.run_sync(_upgrade, service, revision)
        if revision == "head" and exact_rights:
            async with engine.begin() as connection:
                await connection.run_sync(_settle_rights, chosen)
    finally:
        await engine.dispose()
    return chosen


def owner_engine(url: str) -> AsyncEngine:
    place, way = address(url)
    return create_async_engine(place, poolclass=pool.NullPool, connect_args=way, hide_parameters=True)


async def roles_without_login(url: str, chosen: Sequence[str]) -> list[str]:
    """Of these services, those whose role may not log in, as the database says; `url` as for `migrate`."""
    engine = owner_engine(url)
    try:
        async with engine.connect() as connection:
            able = await connection.execute(text("SELECT rolname FROM pg_roles WHERE rolcanlogin"))
            logins = set(able.scalars())
    finally:
        await engine.dispose()
    return [service for service in chosen if f"hobbs_{service}" not in logins]


def run_env(service: str) -> None:
    """The body of every service's migrations/env.py."""
    connection: Connection = context.config.attributes["connection"]
    context.configure(connection=connection, version_table_schema=service, transaction_per_migration=False)
    with context.begin_transaction():
        context.run_migrations()


def create_fleet_tables(service: str) -> None:
    """Create the tables that every service has in the service's schema; its role may write them."""
    run_sql(_SQL / "fleet_tables.sql")
    create_position_table(service)
    create_outcome_table(service)
    _run(
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON inbox, outbox, dead_letter, timer TO hobbs_{service};"
        f"GRANT SELECT ON alembic_version TO hobbs_{service};"
    )


def create_position_table(service: str) -> None:
    """Create the table of positions (fleet/positions.py), unless it is there; the service may write it."""
    run_sql(_SQL / "position.sql")
    _run(f"GRANT SELECT, INSERT, UPDATE ON topic_position TO hobbs_{service};")


def create_outcome_table(service: str) -> None:
    """Create the table of what its invariants said (fleet/own_check.py), unless it is there."""
    run_sql(_SQL / "invariant_outcome.sql")
    _run(f"GRANT SELECT, INSERT, UPDATE, DELETE ON invariant_outcome TO hobbs_{service};")


def run_sql(path: Path) -> None:
    """Run a file of SQL statements inside the migration's transaction."""
    _run(path.read_text(encoding="utf-8"))


def _run(script: str) -> None:
    run_script(op.get_bind(), script)


_OTHER_DATABASES = """
    SELECT d.datname FROM pg_database AS d
    WHERE d.datname <> current_database()
      AND EXISTS (SELECT 1 FROM aclexplode(d.datacl) AS a JOIN pg_roles AS r ON r.oid = a.grantee
                  WHERE r.rolname = :operator)
    ORDER BY d.datname
"""


async def _refuse_roles_of_another(connection: AsyncConnection) -> None:
    """Two schools of one server would set each other's passwords, and log in to each other's database."""
    others = (await connection.execute(text(_OTHER_DATABASES), {"operator": OPERATOR})).scalars().all()
    if others:
        raise RolesOfAnother(
            f"the roles hobbs_* of this server are used by database {', '.join(others)}, and a role is the "
            "whole server's: a second school needs a server of its own. For a copy of the same school's "
            "database, such as a restored backup beside it: --share-roles"
        )


async def _prepare(connection: AsyncConnection, chosen: Sequence[str], passwords: Mapping[str, str]) -> None:
    database = (await connection.execute(text("SELECT quote_ident(current_database())"))).scalar_one()
    await _ensure_role(connection, READER, None)
    await _ensure_role(connection, OPERATOR, passwords.get("operator"))
    for asks in (FINANCE, OPERATIONS, f"hobbs_{CONSOLE}"):  # who may ask for decisions, beside the operator
        await _ensure_role(connection, asks, None)
    for service in chosen:
        role = f"hobbs_{service}"
        await _ensure_role(connection, role, passwords.get(service))
        for statement in (
            *_schemas_of(service),
            # Releases before let each service read everything. The console shows people all of it.
            f"GRANT {READER} TO {role}" if service == CONSOLE else f"REVOKE {READER} FROM {role}",
            f"GRANT {role} TO {OPERATOR} WITH INHERIT FALSE, SET TRUE",
        ):
            await connection.execute(text(statement))
    await connection.execute(text(f"REVOKE ALL ON DATABASE {database} FROM PUBLIC"))
    await connection.execute(text("REVOKE CREATE ON SCHEMA public FROM PUBLIC"))
    # Whoever logs in: a person's forgotten transaction holds wallets' locks. Services set their own limit.
    limit = f"idle_in_transaction_session_timeout = {IDLE_IN_TRANSACTION_TIMEOUT_MS}"
    await connection.execute(text(f"ALTER DATABASE {database} SET {limit}"))
    roles = ", ".join([OPERATOR, *(f"hobbs_{service}" for service in chosen)])
    await connection.execute(text(f"GRANT CONNECT ON DATABASE {database} TO {roles}"))
    await connection.execute(text(f"GRANT {READER} TO {OPERATOR}"))


def _schemas_of(service: str) -> tuple[str, ...]:
    return (
        f"CREATE SCHEMA IF NOT EXISTS {service}",
        f"CREATE SCHEMA IF NOT EXISTS {service}_public",
        f"REVOKE ALL ON SCHEMA {service}, {service}_public FROM PUBLIC",
        f"GRANT USAGE ON SCHEMA {service} TO hobbs_{service}",
        f"GRANT USAGE ON SCHEMA {service}_public TO {READER}, {OPERATIONS}, hobbs_{service}",
    )


async def make_anew(connection: AsyncConnection, service: str) -> None:
    """Make a service's schemas at this code's head, where there are none; the caller's transaction.

    Nothing else is touched: no role, no other service's schema, but what others may read here.
    """
    await connection.execute(text("SELECT pg_advisory_xact_lock(hashtextextended('hobbs:migrate', 0))"))
    for statement in _schemas_of(service):
        await connection.execute(text(statement))
    await connection.run_sync(_upgrade, service, "head")
    for other in migrated():
        await connection.run_sync(give_missing_grants, other)


async def _ensure_role(connection: AsyncConnection, role: str, password: str | None) -> None:
    there = await connection.execute(text("SELECT 1 FROM pg_roles WHERE rolname = :role"), {"role": role})
    if there.first() is None:
        await connection.execute(text(f"CREATE ROLE {role} NOLOGIN"))
    if password is not None:
        # The statement is in the server's log: it holds what is kept of the password, not the password.
        kept = verifier(password).replace(":", r"\:")
        await connection.execute(text(f"ALTER ROLE {role} LOGIN PASSWORD '{kept}'"))


def _upgrade(connection: Connection, service: str, revision: str) -> None:
    """Bring a service to a revision, and at head its functions to this code's, in one transaction."""
    connection.execute(text("SELECT set_config('search_path', :schema, true)"), {"schema": service})
    connection.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": f"migrate:{service}"}
    )
    before = _revision(connection, service)
    config = _config(service)
    config.attributes["connection"] = connection
    command.upgrade(config, revision)
    if revision == "head":
        moved = _revision(connection, service) != before
        run_script(connection, _of_each("asked_decision.sql", service))
        run_script(connection, _of_each("sent_rows.sql", service))
        apply_functions(connection, service, function_files(service), anew=moved)
        run_script(connection, public_views(service))


def public_views(service: str) -> str:
    """The statements that publish what every service has to `hobbs_reader`."""
    return _of_each("public_views.sql", service)


def _of_each(file: str, service: str) -> str:
    return (_SQL / file).read_text(encoding="utf-8").replace("<service>", service)


def _settle_rights(connection: Connection, chosen: Sequence[str]) -> None:
    """Give what services read of one another, once all of them are there, and take back what is beyond.

    Nothing is taken back when only some services were migrated: what is beyond at one's head may be what
    another's older release needs.
    """
    connection.execute(text("SELECT pg_advisory_xact_lock(hashtextextended('hobbs:migrate', 0))"))
    for service in migrated():
        give_missing_grants(connection, service)
    if set(chosen) == set(migrated()):
        take_excess_away(connection, migrated())


def _revision(connection: Connection, service: str) -> str | None:
    """The revision a service's schema is at; None before the first."""
    options = {"version_table_schema": service}
    return MigrationContext.configure(connection, opts=options).get_current_revision()


def _config(service: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(folder_of(service) / "migrations"))
    return config


def migrate_blocking(url: str, passwords: Mapping[str, str]) -> list[str]:
    """`migrate` for callers without an event loop."""
    return asyncio.run(migrate(url, passwords))
