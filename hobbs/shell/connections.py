"""The operator's way in: settings from the environment, and a service's schema as that service's own role."""

import asyncio
import logging
import shlex
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, Final, TypeVar

import asyncpg
import typer
from aiokafka.errors import KafkaError
from pydantic import ValidationError
from sqlalchemy.exc import ProgrammingError, SQLAlchemyError

from fleet import outages
from fleet.database import Database
from fleet.grants import OPERATIONS, READER
from fleet.settings import PREFIX, Settings, own_prefix
from hobbs.shell.output import EXIT_FINDINGS, EXIT_USAGE, say

S = TypeVar("S", bound=Settings)
T = TypeVar("T")

ROOT: Final = Path(__file__).resolve().parents[2]
OPERATOR_ENV: Final = Path(".hobbs", "operator.env")  # written by `hobbs up`

# What Postgres says, and what the two libraries say when it ended a session or never answered: a session that
# a time-out ended while nobody waited is asyncpg's InterfaceError, which is no PostgresError.
DATABASE_ERRORS: Final = (
    SQLAlchemyError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
)

ENDED: Final = "the session was ended before the work was done, by a time-out, a restart or a person"


class Unreachable(Exception):
    """Something the command needs does not answer; the sentence says what."""


def settings_or_exit(kind: type[S]) -> S:
    """Read settings; when something is missing or wrong, name it on stderr and exit 2."""
    try:
        return kind()
    except ValidationError as error:
        for sentence in wrong_settings(error):
            say(sentence)
        if any(problem["type"] == "missing" for problem in error.errors()):
            say(way_in())
    except (OSError, ValueError) as error:  # a HOBBS_*_FILE that is not there or empty
        say(f"a secret's file cannot be read: {error}")
    raise typer.Exit(EXIT_USAGE)


def way_in() -> str:
    """How a shell gets the settings of a fleet that `hobbs up` runs: found from here upwards, or in Hobbs."""
    here = Path.cwd()
    files = [folder / OPERATOR_ENV for folder in (*here.parents, ROOT)]
    file = next((file for file in files if file.is_file()), OPERATOR_ENV)
    if (here / OPERATOR_ENV).is_file():
        file = OPERATOR_ENV
    return f"with `hobbs up` on this machine: source {shlex.quote(str(file))}"


def wrong_settings(error: ValidationError, service: str | None = None) -> list[str]:
    """One sentence for each setting that is missing or refused, without its value.

    service: of several in a process, whose own variables begin with its name.
    """
    found = [(problem["type"], str(problem["loc"][0]), problem["msg"]) for problem in error.errors()]
    return [_sentence(kind, _variable(field, service), message) for kind, field, message in found]


def _variable(field: str, service: str | None) -> str:
    of_everybody = field in Settings.model_fields and field != "database_url"
    prefix = PREFIX if service is None or of_everybody else own_prefix(service)
    return f"{prefix}{field.upper()}"


@asynccontextmanager
async def acting_as(settings: Settings, service: str) -> AsyncIterator[Database]:
    """Lend the service's schema, acting as its role: the operator can do what the service can, no more."""
    url = settings.database_url.get_secret_value()
    database = Database(url, schema=service, role=f"hobbs_{service}", pool_size=1)
    async with _lent(database, f"hobbs_{service}"):
        yield database


@asynccontextmanager
async def reading(
    settings: Settings, service: str | None = None, *, role: str = READER
) -> AsyncIterator[Database]:
    """Lend the published views, acting as a role that may read them and nothing else.

    A statement names a view with its schema, `<service>_public`; or `service` chooses one for all.
    role: OPERATOR for the few views that hold a secret. Somebody of operations reads as that role, which
    may read some of the views only.
    """
    url = settings.database_url.get_secret_value()
    schema = f"{service}_public" if service else "public"
    database = Database(url, schema=schema, role=role, pool_size=1)
    if role == READER and await may_not_act(database):
        await database.close()
        role = OPERATIONS
        database = Database(url, schema=schema, role=role, pool_size=1)
    async with _lent(database, role):
        yield database


async def may_not_act(database: Database) -> bool:
    """Whether the login may not take on the role. What else goes wrong is told by who uses the connection."""
    try:
        async with database.autocommit() as tx:
            await tx.all("SELECT 1")
    except ProgrammingError as error:
        return isinstance(getattr(error.orig, "__cause__", None), asyncpg.InsufficientPrivilegeError)
    except (OSError, *DATABASE_ERRORS):
        return False
    return False


@asynccontextmanager
async def _lent(database: Database, role: str) -> AsyncIterator[None]:
    """Close the database after the block; an error of its connection says whose it was."""
    try:
        yield
    except (OSError, *DATABASE_ERRORS) as error:
        error.add_note(f"acting as {role}")
        raise
    finally:
        await database.close()


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a command's coroutine; a database or broker that goes away is one sentence and exit 1."""
    with _one_sentence(), _quiet_libraries():
        return asyncio.run(work)


@contextmanager
def _one_sentence() -> Iterator[None]:
    try:
        yield
        return
    except Unreachable as error:
        say(str(error))
    except KafkaError as error:
        say(f"Kafka: {why(error)}; `hobbs doctor` looks closer")
    except DATABASE_ERRORS as error:
        say(f"Postgres: {why(error)}; `hobbs doctor` looks closer")
    except (OSError, EOFError) as error:  # Postgres has noted its role; who else does not answer names itself
        server = "Postgres: " if getattr(error, "__notes__", None) else ""
        if not server and isinstance(error, OSError) and error.filename is not None:
            say(f"{error.filename}: {error.strerror}")  # a file that was named, and no server
        else:
            say(f"{server}{why(error)}; `hobbs doctor` looks closer")
    except asyncio.CancelledError:  # a library gave up on a connection that it was closing
        say("a server closed the connection; `hobbs doctor` looks closer")
    raise typer.Exit(EXIT_FINDINGS)


@contextmanager
def _quiet_libraries() -> Iterator[None]:
    """Keep what libraries log of a lost connection, tracebacks too, off the person's terminal."""
    before, logging.lastResort = logging.lastResort, logging.NullHandler()
    try:
        yield
    finally:
        logging.lastResort = before


def why(error: BaseException) -> str:
    """The first line of what the server or the system said."""
    said = ENDED if _is_ended_session(error) else outages.first_line(error)
    return ", ".join([said, *dict.fromkeys(getattr(error, "__notes__", []))])


def _is_ended_session(error: BaseException) -> bool:
    """Whether the driver found its connection gone, in which case the server's reason is not known."""
    return isinstance(error, DATABASE_ERRORS) and outages.is_outage(error) and outages.sqlstate(error) is None


def _sentence(kind: str, name: str, message: str) -> str:
    if kind == "missing":
        return f"{name} is not set; set it, or {name}_FILE to a file whose first line is the value"
    return f"{name}: {message}"
