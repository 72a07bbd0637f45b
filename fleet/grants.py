"""Which rights our roles must have: the GRANT statements of a service's schema.sql, functions and reads.sql.

A service also has what it publishes to hobbs_reader; of other services' views those that its reads.sql names.
`hobbs migrate` runs the statements again, so that a right that somebody took away is back; `hobbs doctor`
names what is missing. Rights beyond these: fleet/excess.py.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

from sqlalchemy import Connection, text

from fleet.database import Tx
from fleet.folders import folder_of
from fleet.functions import function_files, run_script

READER = "hobbs_reader"
OPERATOR = "hobbs_operator"  # the command line
FINANCE = "hobbs_finance"  # people who read and decide
OPERATIONS = "hobbs_operations"  # people who see what stands still, and let it go on

_STATEMENT = re.compile(r"^GRANT\s+([^;]+?)\s+ON\s+([^;]+?)\s+TO\s+([^;]+?);", re.MULTILINE)
_PRIVILEGE = re.compile(r"(\w+)\s*(?:\(([^)]*)\))?")
_OBJECT = re.compile(r"(?:(TABLE|SEQUENCE|SCHEMA|FUNCTION)\s+)?(.+)", re.DOTALL)
_BETWEEN_NAMES = re.compile(r",\s*(?![^(]*\))")  # a comma that is not between a function's parameters

# By the catalog's names: to_regclass and its like refuse who may not use the schema, and doctor may not.
_MISSING = """
    SELECT wanted.place - 1 AS place
    FROM unnest(CAST(:roles AS text[]), CAST(:privileges AS text[]), CAST(:kinds AS text[]),
                CAST(:schemas AS text[]), CAST(:names AS text[]), CAST(:details AS text[]))
         WITH ORDINALITY AS wanted (role, privilege, kind, schema, name, detail, place)
    JOIN pg_namespace AS s ON s.nspname = wanted.schema
    JOIN pg_roles AS r ON r.rolname = wanted.role
    WHERE NOT coalesce(CASE kind
          WHEN 'SCHEMA' THEN has_schema_privilege(r.oid, s.oid, privilege)
          WHEN 'FUNCTION' THEN
              (SELECT has_function_privilege(r.oid, p.oid, privilege) FROM pg_proc AS p
               WHERE p.pronamespace = s.oid AND p.proname = wanted.name
                 AND array_to_string(p.proargtypes::oid[], ' ') =  -- an oidvector counts from 0
                     (SELECT coalesce(string_agg(to_regtype(type)::oid::text, ' ' ORDER BY n), '')
                      FROM unnest(string_to_array(nullif(detail, ''), ',')) WITH ORDINALITY AS t (type, n)))
          ELSE
              (SELECT CASE kind
                   WHEN 'SEQUENCE' THEN has_sequence_privilege(r.oid, c.oid, privilege)
                   WHEN 'COLUMN' THEN
                       (SELECT has_column_privilege(r.oid, c.oid, attnum, privilege) FROM pg_attribute
                        WHERE attrelid = c.oid AND attname = detail AND NOT attisdropped)
                   ELSE has_table_privilege(r.oid, c.oid, privilege) END
               FROM pg_class AS c WHERE c.relnamespace = s.oid AND c.relname = wanted.name)
      END, true)  -- what is not there is a missing migration
    ORDER BY wanted.place
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """One right of one role; `detail` is a column, or the types of a function's parameters."""

    role: str
    privilege: str
    kind: str
    schema: str
    name: str = ""
    detail: str = ""

    @property
    def right(self) -> str:
        """The right and its object, in the words of a GRANT statement."""
        named = f'"{self.detail}"' if self.detail == "offset" else self.detail  # a reserved word
        column = f" ({named})" if self.kind == "COLUMN" else ""
        kind = "TABLE" if self.kind == "COLUMN" else self.kind
        parameters = f"({self.detail})" if self.kind == "FUNCTION" else ""
        where = f"{self.schema}.{self.name}" if self.name else self.schema
        return f"{self.privilege}{column} ON {kind} {where}{parameters}"

    @property
    def sentence(self) -> str:
        return f"{self.role} lacks {self.right}"

    @property
    def statement(self) -> str:
        return f"GRANT {self.right} TO {self.role}"


def grant_statements(service: str) -> list[str]:
    """The GRANT statements of a service: of its schemas, tables, views, sequences and functions, in order."""
    # A new service has no schema.sql before `make schemas` wrote it.
    paths = [folder_of(service) / name for name in ("schema.sql", "reads.sql")]
    texts = [path.read_text(encoding="utf-8") for path in paths if path.exists()]
    texts += function_files(service).values()
    return [found.group() for text in texts for found in _STATEMENT.finditer(text)]


@lru_cache
def wanted_grants(service: str) -> tuple[Grant, ...]:
    """What the statements give, one right of one role on one object each."""
    said = [grant for statement in grant_statements(service) for grant in _grants(service, statement)]
    own = [replace(grant, role=f"hobbs_{service}") for grant in said if _is_published(service, grant)]
    return tuple(dict.fromkeys([*said, *own]))


def _is_published(service: str, grant: Grant) -> bool:
    return grant.role == READER and grant.schema == f"{service}_public"


def _grants(service: str, statement: str) -> Iterator[Grant]:
    found = _STATEMENT.fullmatch(statement)
    assert found is not None
    target = _OBJECT.fullmatch(found[2])
    assert target is not None
    kind, names = target.groups()
    for role in _names(found[3]):
        for name in _BETWEEN_NAMES.split(names):
            for privilege, columns in _PRIVILEGE.findall(found[1]):
                yield from _one(service, role, privilege, kind or "TABLE", " ".join(name.split()), columns)


def _one(service: str, role: str, privilege: str, kind: str, name: str, columns: str) -> Iterator[Grant]:
    if kind == "SCHEMA":
        yield Grant(role=role, privilege=privilege, kind=kind, schema=name)
        return
    path, _, parameters = name.partition("(")
    schema, _, own = path.rpartition(".")
    detail = ", ".join(_names(parameters.rstrip(")")))
    place = {"role": role, "privilege": privilege, "schema": schema or service, "name": own.strip('"')}
    if not columns:
        yield Grant(**place, kind=kind, detail=detail)
    for column in _names(columns):
        yield Grant(**place, kind="COLUMN", detail=column.strip('"'))


def _names(listed: str) -> list[str]:
    return [name.strip() for name in listed.split(",") if name.strip()]


async def missing_grants(tx: Tx, service: str) -> list[Grant]:
    """The rights of `wanted_grants` that a role does not have, in itself or through another role."""
    rows = await tx.all(_MISSING, **_parameters(service))
    return [wanted_grants(service)[row.place] for row in rows]


def give_missing_grants(connection: Connection, service: str) -> None:
    """Give the rights that are missing; the others' rows in the catalog stay as they are."""
    rows = connection.execute(text(_MISSING), _parameters(service)).all()
    for grant in [wanted_grants(service)[row.place] for row in rows]:
        run_script(connection, grant.statement)


def _parameters(service: str) -> dict[str, list[str]]:
    wanted = wanted_grants(service)
    return {
        "roles": [grant.role for grant in wanted],
        "privileges": [grant.privilege for grant in wanted],
        "kinds": [grant.kind for grant in wanted],
        "schemas": [grant.schema for grant in wanted],
        "names": [grant.name for grant in wanted],
        "details": [grant.detail for grant in wanted],
    }
