"""One Postgres for the session, one migrated template, one clone per test."""

import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from fleet.migrate import migrate
from fleet.revisions import migrated
from fleet.scram import verifier
from hobbs.local.postgres import OWNER
from schemas.services import LOGINS

PASSWORDS = {login: f"{login}-password" for login in LOGINS}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """A running Postgres; `url` is its owner's, to the maintenance database."""

    url: str

    def database(self, name: str) -> str:
        return urlunsplit(urlsplit(self.url)._replace(path=f"/{name}"))


async def run_statement(url: str, statement: str) -> None:
    """Run one administrative statement outside any transaction."""
    await run_statements(url, statement)


async def run_statements(url: str, *statements: str) -> None:
    """Run administrative statements, each outside any transaction."""
    connection = await asyncpg.connect(url)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """A migrated database to clone; `broken`: the services whose migration failed, and the errors."""

    name: str
    broken: Mapping[str, Exception]


async def make_template(cluster: Cluster) -> Template:
    """Create the database to clone. A failed migration of a service fails only the tests that open it."""
    await run_statement(cluster.url, "CREATE DATABASE hobbs_template")
    url = cluster.database("hobbs_template")
    broken: dict[str, Exception] = {}
    for service in migrated():
        try:
            await migrate(url, PASSWORDS, [service])
        except Exception as error:
            broken[service] = error
    await shorten_logins(url)
    return Template(name="hobbs_template", broken=broken)


async def shorten_logins(url: str) -> None:
    """Give each role its password again, hashed once instead of 4,096 times: a test logs in a dozen times."""
    passwords = {f"hobbs_{login}": password for login, password in PASSWORDS.items()}
    passwords[OWNER] = str(urlsplit(url).password)
    await run_statements(
        url,
        *(f"ALTER ROLE {role} PASSWORD '{verifier(passwords[role], iterations=1)}'" for role in passwords),
    )


def service_url(owner_url: str, service: str) -> str:
    """The same database, logged in as the service's own role; "operator" is the command line's."""
    parts = urlsplit(owner_url)
    login = f"hobbs_{service}:{PASSWORDS[service]}"
    return urlunsplit(parts._replace(netloc=f"{login}@{parts.hostname}:{parts.port}"))


@asynccontextmanager
async def empty(cluster: Cluster) -> AsyncIterator[str]:
    """Lend a database without anything in it; yields its owner's URL."""
    name = f"empty_{secrets.token_hex(6)}"
    await run_statement(cluster.url, f"CREATE DATABASE {name}")
    try:
        yield cluster.database(name)
    finally:
        await run_statement(cluster.url, f"DROP DATABASE {name} WITH (FORCE)")


@asynccontextmanager
async def cloned(cluster: Cluster, template: Template) -> AsyncIterator[str]:
    """Clone the template for the block; yields the URL of the clone's owner."""
    name = f"test_{secrets.token_hex(6)}"
    # The rights are what `hobbs migrate` gives on the database itself; a template has no say in that.
    roles = ", ".join(f"hobbs_{login}" for login in LOGINS)
    await run_statements(
        cluster.url,
        f"CREATE DATABASE {name} TEMPLATE {template.name} STRATEGY file_copy",
        f"REVOKE ALL ON DATABASE {name} FROM PUBLIC",
        f"GRANT CONNECT ON DATABASE {name} TO {roles}",
    )
    try:
        yield cluster.database(name)
    finally:
        await run_statement(cluster.url, f"DROP DATABASE {name} WITH (FORCE)")
