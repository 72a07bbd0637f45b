"""Writes each schema.sql, from a throw-away Postgres: `python -m hobbs.local.schema_files`."""

import asyncio
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg

from fleet.folders import folder_of
from fleet.grants import wanted_grants
from fleet.migrate import migrate
from fleet.revisions import migrated
from hobbs.local.ports import free_port
from hobbs.local.postgres import Postgres, prepare_postgres, start_postgres, wait_for_postgres
from hobbs.local.schema_dump import schema_text

DATABASE = "hobbs"


def main() -> int:
    """Write the file of every service, and the console's."""
    with throwaway_postgres() as server:
        asyncio.run(_make_database(server))
        # Twice: what roles should have is read from these files (fleet.grants). First what migrations give,
        # then with what follows from it. Otherwise the right of a new migration is taken back as unwanted.
        for exact_rights in (False, True):
            asyncio.run(migrate(server.url(DATABASE), {}, exact_rights=exact_rights))
            for service in migrated():
                schema_file(service).write_text(schema_text(server.url(DATABASE), service), encoding="utf-8")
            wanted_grants.cache_clear()
    return 0


def schema_file(service: str) -> Path:
    return folder_of(service) / "schema.sql"


@contextmanager
def throwaway_postgres() -> Iterator[Postgres]:
    """Run a Postgres in a temporary folder until the block ends."""
    with tempfile.TemporaryDirectory(prefix="hobbs-schemas-", ignore_cleanup_errors=True) as name:
        folder, log = Path(name) / "postgres", Path(name) / "postgres.log"
        prepare_postgres(folder, log)
        server = start_postgres(folder, port=free_port(), log=log, settings=["fsync=off"])
        try:
            wait_for_postgres(server)
            yield server
        finally:
            server.child.signal(signal.SIGQUIT)
            server.child.wait(10)


async def _make_database(server: Postgres) -> None:
    connection = await asyncpg.connect(server.url())
    try:
        await connection.execute(f"CREATE DATABASE {DATABASE}")
    finally:
        await connection.close()


if __name__ == "__main__":
    sys.exit(main())
