"""A shadow's database carries a mark, so that no live worker works on it and no shadow's on a live one.

A shadow reads the live topics of the flights, and writes to topics and into a database of its own. A live
worker on a shadow's database would publish what the shadow decided as if it were true; a shadow's on the live
one would publish the live outbox where nobody reads it. The mark is the comment of a schema: a dump keeps it,
and everybody may read it.
"""

import asyncio
import json
import logging
from typing import Final, NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from fleet.database import Database

SCHEMA: Final = "hobbs_shadow"
ASK_AGAIN_S: Final = 0.5
NO_SHADOW: Final = "this database is no shadow's: hobbs migrate --shadow-of makes one, in an empty database"

_log = logging.getLogger(__name__)

_READ: Final = """
    SELECT obj_description(oid, 'pg_namespace') AS mark FROM pg_namespace WHERE nspname = 'hobbs_shadow'
"""

_HAS_SERVICES: Final = "SELECT 1 FROM pg_namespace WHERE nspname IN ('billing', 'ledger', 'payouts')"
_COMMENT: Final = "SELECT format('COMMENT ON SCHEMA hobbs_shadow IS %L', CAST(:mark AS text))"


class Mark(NamedTuple):
    """Whose shadow a database is. topic_prefix: of the shadow's own topics; live: of those it looks at.

    own_book: its rates are its own; else it follows the live school's book.
    """

    topic_prefix: str
    live: str
    own_book: bool

    def written(self) -> str:
        return json.dumps(self._asdict(), sort_keys=True)


class WrongDatabase(Exception):
    """A live worker on a shadow's database, or the other way round; the sentence says which."""


def read_mark(written: str) -> Mark:
    """The mark from its text. Raises WrongDatabase for a text that is none."""
    try:
        return Mark(**json.loads(written))
    except (TypeError, ValueError):
        raise WrongDatabase(f"the mark of schema {SCHEMA} is damaged: drop this database") from None


async def mark_of(database: Database) -> Mark | None:
    """The mark of this database; None: it is a live deployment's."""
    async with database.autocommit() as tx:
        row = await tx.first(_READ)
    return None if row is None else read_mark(row.mark or "")


async def settle_mark(engine: AsyncEngine, wanted: Mark | None) -> Mark | None:
    """Mark an empty database as the owner, before it is migrated; the mark that it has now.

    wanted: None keeps what is there. Raises WrongDatabase for a live deployment's, or another shadow's.
    """
    async with engine.begin() as connection:
        row = (await connection.execute(text(_READ))).first()
        found = None if row is None else read_mark(row.mark or "")
        if wanted is None or found == wanted:
            return found
        if found is not None:
            raise WrongDatabase(f"this database is a shadow with {found}: make another for another shadow")
        if (await connection.execute(text(_HAS_SERVICES))).first():
            raise WrongDatabase("this database is a live deployment's: a shadow needs one of its own, empty")
        await connection.execute(text(f"CREATE SCHEMA {SCHEMA}"))
        comment = (await connection.execute(text(_COMMENT), {"mark": wanted.written()})).scalar_one()
        await connection.execute(text(comment.replace(":", r"\:")))
    return wanted


def refused(found: Mark | None, expected: Mark | None) -> str | None:
    """Why a worker that expects this mark does not work on a database that has that one."""
    if found == expected:
        return None
    if expected is None:
        return "this database is a shadow's: what was decided there must reach nobody; look at the URL"
    if found is None:
        return NO_SHADOW
    return f"this database is a shadow with {found}, and not with {expected}"


class Known:
    """Whether the database is of the kind that a worker expects; nothing is written before that is known.

    expected: the mark, of a shadow; None: of a live deployment.
    """

    def __init__(self, database: Database, stopping: asyncio.Event) -> None:
        self.expected: Mark | None = None
        self._database, self._stopping = database, stopping
        self._asking: asyncio.Task[None] | None = None

    async def wait(self) -> None:
        """Return once Postgres has said so, or the worker stops. Raises WrongDatabase."""
        self._asking = self._asking or asyncio.create_task(self._ask())
        await asyncio.shield(self._asking)

    async def _ask(self) -> None:
        while not self._stopping.is_set():
            try:
                found = await mark_of(self._database)
            except WrongDatabase:
                raise
            except Exception as error:  # an outage, or a login that is not made yet
                _log.warning("the database is not known yet", extra={"error": type(error).__name__})
                await asyncio.sleep(ASK_AGAIN_S)
                continue
            if why := refused(found, self.expected):
                raise WrongDatabase(why)
            return
