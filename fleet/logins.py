"""Logins of people: a role of the database for each, a member of what its holder may be.

They are named `person_<name>`, and the rest is the person's name in every decision (fleet/vouches.py). A name
that was removed is given again to the same person only: names stand in histories for ever.
"""

import re
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from fleet.grants import FINANCE, OPERATIONS, OPERATOR, READER
from fleet.migrate import owner_engine
from fleet.scram import verifier
from fleet.vouches import PERSON

NAME: Final = re.compile(r"[a-z][a-z0-9_.]{0,40}")
# What a login may be, and which role that is. `repairs` may act as any service, as hobbs_operator may.
ROLES: Final = {"repairs": OPERATOR, "operations": OPERATIONS, "finance": FINANCE, "auditor": READER}
PASSWORD_BYTES: Final = 24

_LIST: Final = """
    SELECT person.rolname AS login, person.rolcanlogin AS logs_in, coalesce(string_agg(
               granted.rolname, ', ' ORDER BY granted.rolname), '') AS member_of
    FROM pg_roles AS person
    LEFT JOIN pg_auth_members AS m ON m.member = person.oid
    LEFT JOIN pg_roles AS granted ON granted.oid = m.roleid
    WHERE starts_with(person.rolname, :person)
      AND person.oid IN (SELECT a.grantee FROM pg_database, aclexplode(datacl) AS a
                         WHERE datname = current_database())
    GROUP BY person.oid, person.rolname, person.rolcanlogin ORDER BY person.rolname
"""


class LoginRefused(ValueError):
    """What cannot be a login, in a sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """A person's login: their name, what they may be, whether the role logs in."""

    name: str
    role: str
    logs_in: bool


async def add_login(url: str, name: str, role: str) -> str:
    """Make a person's login, or give it another role and password; its password. `url`: the owner's.

    Raises LoginRefused for a name or role that is none.
    """
    login = _login(name)
    if role not in ROLES:
        raise LoginRefused(f"role {role} is none of {', '.join(ROLES)}")
    password = secrets.token_urlsafe(PASSWORD_BYTES)
    kept = verifier(password).replace(":", r"\:")
    async with _owner(url) as connection:
        known = await connection.execute(
            text("SELECT 1 FROM pg_roles WHERE rolname = :login"), {"login": login}
        )
        if known.first() is None:
            await connection.execute(text(f'CREATE ROLE "{login}" NOLOGIN'))
        for other in ROLES.values():
            await connection.execute(text(f'REVOKE {other} FROM "{login}"'))
        await connection.execute(text(f'GRANT {ROLES[role]} TO "{login}" WITH INHERIT TRUE, SET TRUE'))
        await connection.execute(
            text(f'GRANT CONNECT ON DATABASE {await _database(connection)} TO "{login}"')
        )
        await connection.execute(text(f"ALTER ROLE \"{login}\" LOGIN PASSWORD '{kept}'"))
    return password


async def remove_login(url: str, name: str) -> None:
    """Take a person's login away. Raises LoginRefused when there is none."""
    login = _login(name)
    async with _owner(url) as connection:
        known = await connection.execute(
            text("SELECT 1 FROM pg_roles WHERE rolname = :login"), {"login": login}
        )
        if known.first() is None:
            raise LoginRefused(f"{name} has no login")
        await connection.execute(text(f'REVOKE ALL ON DATABASE {await _database(connection)} FROM "{login}"'))
        await connection.execute(text(f'DROP ROLE "{login}"'))


async def close_shared(url: str) -> None:
    """Let nobody log in as hobbs_operator any more, which all shared; logins of people stay."""
    async with _owner(url) as connection:
        await connection.execute(text(f"ALTER ROLE {OPERATOR} NOLOGIN"))


async def logins(url: str) -> list[Login]:
    """People's logins to this database, by name."""
    async with _owner(url) as connection:
        rows = (await connection.execute(text(_LIST), {"person": PERSON})).all()
    named = {role: word for word, role in ROLES.items()}
    return [
        Login(
            name=row.login.removeprefix(PERSON),
            role=named.get(row.member_of, row.member_of),
            logs_in=row.logs_in,
        )
        for row in rows
    ]


def _login(name: str) -> str:
    if not NAME.fullmatch(name):
        raise LoginRefused(f"{name!r} is no name of a login: small letters, digits, _ and ., a letter first")
    return PERSON + name


async def _database(connection: AsyncConnection) -> str:
    named = await connection.execute(text("SELECT quote_ident(current_database())"))
    return str(named.scalar_one())


@asynccontextmanager
async def _owner(url: str) -> AsyncIterator[AsyncConnection]:
    engine = owner_engine(url)
    try:
        async with engine.begin() as connection:
            yield connection
    finally:
        await engine.dispose()
