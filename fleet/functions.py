"""Database functions: each has one text, in services/<service>/functions/*.sql, applied after the migrations.

They are in the service's schema, and in `<service>_public` what readers may call.
A table in the service's schema, `function_file`, holds the hash of each file in force. When a file differs,
or a migration ran, all files are run again in one transaction: CREATE OR REPLACE keeps what refers to a
function. How to change a function: docs/database-functions.md.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

import asyncpg
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.util import await_only

from fleet.database import Tx
from fleet.folders import ROOT, folder_of

_TABLE = Path(__file__).parent / "sql" / "function_files.sql"
_OF_EACH = Path(__file__).parent / "sql" / "functions"

_DEFINED = re.compile(r"^CREATE OR REPLACE FUNCTION ((?:\w+_public\.)?\w+)", re.MULTILINE)

_SCHEMAS = """
SELECT nspname FROM pg_namespace
 WHERE nspname IN (CAST(:service AS text), CAST(:service AS text) || '_public')
"""
# Every version of a row of pg_proc has a place of its own, so CREATE OR REPLACE shows as another place.
_PLACES = """
SELECT p.oid::regprocedure::text AS signature, p.ctid::text AS place
  FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace
 WHERE n.nspname IN (CAST(:service AS text), CAST(:service AS text) || '_public')
"""
_OUR_GRANTEES = """
SELECT DISTINCT n.nspname AS schema, quote_ident(r.rolname) AS role
  FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace, aclexplode(p.proacl) AS granted
       JOIN pg_roles AS r ON r.oid = granted.grantee
 WHERE n.nspname IN (CAST(:service AS text), CAST(:service AS text) || '_public')
   AND granted.grantee <> p.proowner AND r.rolname LIKE 'hobbs\\_%'
"""
# Each language says whether a body can be read: what CREATE FUNCTION asks unless it is told not to.
_VALIDATE = """
SELECT CASE l.lanname WHEN 'sql' THEN fmgr_sql_validator(p.oid)
                      WHEN 'plpgsql' THEN plpgsql_validator(p.oid) END
  FROM pg_proc AS p JOIN pg_language AS l ON l.oid = p.prolang
 WHERE p.oid = ANY (CAST(CAST(:signatures AS text[]) AS regprocedure[]))
"""


@lru_cache
def function_files(service: str) -> Mapping[str, str]:
    """File name -> text of the service's functions, in the order in which they are run.

    Those of `fleet/sql/functions` are every service's, and `<service>` in them is its name.
    """
    paths = [*_OF_EACH.glob("*.sql"), *(folder_of(service) / "functions").glob("*.sql")]
    bodies = {
        path.name: path.read_text(encoding="utf-8") for path in sorted(paths, key=lambda path: path.name)
    }
    return {name: body.replace("<service>", service) for name, body in bodies.items()}


def function_names(service: str) -> list[str]:
    """Names of the functions that the service's files define, in their order; readers' with their schema."""
    return [name for body in function_files(service).values() for name in _DEFINED.findall(body)]


def apply_functions(connection: Connection, service: str, files: Mapping[str, str], *, anew: bool) -> bool:
    """Bring the service's functions to the texts of `files`, by file name; whether anything was run.

    `anew` runs them although none differs: a migration may have replaced what they define. The caller's
    transaction has the service's schema as its search path, and keeps other migrations out.
    """
    run_script(connection, _TABLE.read_text(encoding="utf-8"))
    run_script(connection, f"GRANT SELECT ON function_file TO hobbs_{service}")
    found = connection.execute(text("SELECT name, sha256, signatures FROM function_file")).all()
    hashes = {name: _hash(body) for name, body in files.items()}
    if {row.name: row.sha256 for row in found} == hashes and not anew:
        return False
    before = {signature for row in found for signature in row.signatures}
    _revoke_grants(connection, service)
    defined = _run_files(connection, service, files)
    _drop_functions(connection, before - {each for made in defined.values() for each in made})
    for schema in connection.execute(text(_SCHEMAS), {"service": service}).scalars():
        run_script(connection, f"REVOKE ALL ON ALL FUNCTIONS IN SCHEMA {schema} FROM PUBLIC")
    _note_files(connection, hashes, defined)
    return True


async def stale_function_files(tx: Tx) -> list[str]:
    """Names of the service's files that are not in force in the database as this code has them."""
    there = await tx.one("SELECT to_regclass('function_file') IS NOT NULL AS yes")
    rows = await tx.all("SELECT name, sha256 FROM function_file") if there.yes else []
    applied = {row.name: row.sha256 for row in rows}
    wanted = {name: _hash(body) for name, body in function_files(tx.service).items()}
    return sorted(n for n in applied.keys() | wanted.keys() if applied.get(n) != wanted.get(n))


def run_script(connection: Connection, script: str) -> None:
    """Run SQL statements inside the connection's transaction, which must have begun."""
    # The driver's own execute takes several statements; SQLAlchemy prepares, and one is all it may prepare.
    fairy: Any = connection.connection
    await_only(fairy.driver_connection.execute(script))


def _run_files(connection: Connection, service: str, files: Mapping[str, str]) -> dict[str, list[str]]:
    """Run the files; the signatures of the functions that each created or replaced."""
    # Bodies in SQL are read when they are created, and may call functions of files that come later.
    connection.execute(text("SET LOCAL check_function_bodies = off"))
    defined: dict[str, list[str]] = {}
    for name, body in files.items():
        before = _places(connection, service)
        with _named(service, name):
            run_script(connection, body)
        after = _places(connection, service)
        defined[name] = sorted(one for one, place in after.items() if before.get(one) != place)
    connection.execute(text("SET LOCAL check_function_bodies = on"))
    for name, signatures in defined.items():
        with _named(service, name):
            connection.execute(text(_VALIDATE), {"signatures": signatures})
    return defined


@contextmanager
def _named(service: str, name: str) -> Iterator[None]:
    """Let what the server refuses say in which file it stands."""
    try:
        yield
    except (asyncpg.PostgresError, DBAPIError) as error:
        error.add_note(f"in {folder_of(service).relative_to(ROOT)}/functions/{name}")
        raise


def _places(connection: Connection, service: str) -> dict[str, str]:
    return {row.signature: row.place for row in connection.execute(text(_PLACES), {"service": service})}


def _revoke_grants(connection: Connection, service: str) -> None:
    """Take back what our roles may call: a grant that left the files must go. Other roles keep theirs."""
    for row in connection.execute(text(_OUR_GRANTEES), {"service": service}).all():
        run_script(connection, f"REVOKE ALL ON ALL FUNCTIONS IN SCHEMA {row.schema} FROM {row.role}")


def _drop_functions(connection: Connection, signatures: set[str]) -> None:
    """Drop what files defined once and no longer do. Refused while a view or a trigger needs it."""
    for signature in sorted(signatures):
        run_script(connection, f"DROP FUNCTION IF EXISTS {signature}")


def _note_files(connection: Connection, hashes: Mapping[str, str], defined: Mapping[str, list[str]]) -> None:
    connection.execute(text("DELETE FROM function_file"))
    for name, sha256 in hashes.items():
        connection.execute(
            text("INSERT INTO function_file (name, sha256, signatures) VALUES (:name, :sha256, :signatures)"),
            {"name": name, "sha256": sha256, "signatures": defined[name]},
        )


def _hash(body: str) -> str:
    return hashlib.sha256(body.encode()).hexdigest()
