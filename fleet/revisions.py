"""Which services have tables, and which revisions this code brings them to, read without Alembic.

A revision is the number that its file's name begins with. Alembic (fleet/migrate.py) takes as long to import
as SQLAlchemy, and a worker or a command only asks whether the database is at this code's head.
"""

from functools import lru_cache

from fleet.database import Database
from fleet.folders import CONSOLE, ROOT, folder_of
from fleet.functions import stale_function_files


def services() -> list[str]:
    """Every service that has migrations, in the order of their names."""
    return sorted(p.parent.parent.name for p in (ROOT / "services").glob("*/migrations/env.py"))


def migrated() -> list[str]:
    """Whoever has a schema of its own, in the order of their migrations: the services, then the console."""
    return [*services(), CONSOLE]


@lru_cache
def revisions(service: str) -> list[str]:
    """Every revision the code of a service knows, oldest first."""
    files = (folder_of(service) / "migrations" / "versions").glob("[0-9]*.py")
    return sorted(file.name.partition("_")[0] for file in files)


def head_revision(service: str) -> str:
    """The newest revision the code of a service knows."""
    return revisions(service)[-1]


async def pending_migrations(database: Database) -> list[str]:
    """What `hobbs migrate` of this code would bring: the newest revision, and files of functions."""
    async with database.transaction() as tx:
        row = await tx.first("SELECT version_num FROM alembic_version")
        files = await stale_function_files(tx)
    head = head_revision(database.schema)
    behind = [] if row and row.version_num == head else [f"{database.schema} {head}"]
    return behind + [f"{database.schema} functions/{name}" for name in files]
