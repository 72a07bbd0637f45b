"""The operator's way in: settings from the environment, and a service's schema as that service's own role."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import typer
from aiokafka.errors import KafkaError
from asyncpg import PostgresError
from pydantic import ValidationError
from sqlalchemy.exc import DBAPIError

from fleet.database import Database
from fleet.migrate import READER
from fleet.settings import PREFIX, Settings
from hobbs.shell.output import EXIT_FINDINGS, EXIT_USAGE, say

S = TypeVar("S", bound=Settings)
T = TypeVar("T")


class Unreachable(Exception):
    """Something the command needs does not answer; the sentence says what."""


def settings_or_exit(kind: type[S]) -> S:
    """Read settings; when something is missing or wrong, name it on stderr and exit 2."""
    try:
        return kind()
    except ValidationError as error:
        for sentence in wrong_settings(error):
            say(sentence)
    except (OSError, ValueError) as error:  # a HOBBS_*_FILE that is not there or empty
        say(f"a secret's file cannot be read: {error}")
    raise typer.Exit(EXIT_USAGE)


def wrong_settings(error: ValidationError) -> list[str]:
    """One sentence for each setting that is missing or refused, without its value."""
    return [_sentence(problem["type"], str(problem["loc"][0]), problem["msg"]) for problem in error.errors()]


@asynccontextmanager
async def acting_as(settings: Settings, service: str) -> AsyncIterator[Database]:
    """Lend the service's schema, acting as its role: the operator can do what the service can, no more."""
    url = settings.database_url.get_secret_value()
    database = Database(url, schema=service, role=f"hobbs_{service}", pool_size=1)
    try:
        yield database
    except (DBAPIError, PostgresError) as error:
        error.add_note(f"acting as hobbs_{service}")
        raise
    finally:
        await database.close()


@asynccontextmanager
async def reading(
    settings: Settings, service: str | None = None, *, role: str = READER
) -> AsyncIterator[Database]:
    """Lend the published views, acting as a role that may read them and nothing else.

    A statement names a view with its schema, `<service>_public`; or `service` chooses one for all.
    role: OPERATOR for the few views that hold a secret.
    """
    url = settings.database_url.get_secret_value()
    schema = f"{service}_public" if service else "public"
    database = Database(url, schema=schema, role=role, pool_size=1)
    try:
        yield database
    except (DBAPIError, PostgresError) as error:
        error.add_note(f"acting as {role}")
        raise
    finally:
        await database.close()


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a command's coroutine; an unreachable database or broker is one sentence and exit 1."""
    try:
        return asyncio.run(work)
    except Unreachable as error:
        say(str(error))
    except (OSError, DBAPIError, PostgresError) as error:
        say(f"Postgres: {why(error)}; `hobbs doctor` looks closer")
    except KafkaError as error:
        say(f"Kafka: {why(error)}; `hobbs doctor` looks closer")
    raise typer.Exit(EXIT_FINDINGS)


def why(error: BaseException) -> str:
    """The first line of what the server or the system said."""
    cause = getattr(error, "orig", None) or error
    lines = str(getattr(cause, "__cause__", None) or cause).splitlines() or [type(error).__name__]
    return ", ".join([lines[0], *getattr(error, "__notes__", [])])


def _sentence(kind: str, field: str, message: str) -> str:
    name = f"{PREFIX}{field.upper()}"
    if kind == "missing":
        return f"{name} is not set; set it, or {name}_FILE to a file whose first line is the value"
    return f"{name}: {message}"
