"""What pg_dump says of a service's schema, in an order to be read: each table with all that belongs to it.

Functions are only named here: their texts are in services/<service>/functions/.
"""

import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass

from hobbs.local.postgres import binaries

_HEADER = re.compile(r"^--\n-- Name: (.+); Type: ([A-Z ]+); Schema: (\S+); Owner: .*\n--\n", re.MULTILINE)
_TABLE = re.compile(r"(?:ALTER TABLE(?: ONLY)?|\bON(?: TABLE| VIEW| COLUMN| SEQUENCE)?) (\w+\.\w+)")
_GRANT = re.compile(r"GRANT (.+) ON (.+) TO (\w+);")
_COLUMN = re.compile(r"(\w+)\((\w+)\)")

# What pg_dump writes for restoring, and what it writes at length.
_SHORTER = (
    (re.compile(r"^(?:SET default_.*|\\unrestrict .*|--|-- PostgreSQL database dump complete)\n", re.M), ""),
    (re.compile(r"AS IDENTITY \([^)]*\)"), "AS IDENTITY"),
    (re.compile(r"timestamp with time zone"), "timestamptz"),
    (re.compile(r'pg_catalog\."C"'), '"C"'),
    (re.compile(r"^(ALTER TABLE .*)\n +ADD CONSTRAINT", re.M), r"\1 ADD CONSTRAINT"),
    (re.compile(r"\t"), "    "),
    (re.compile(r"\n{2,}"), "\n"),
)
# The kinds of what belongs to a table, in the order in which they are read.
_KINDS = (
    "SCHEMA",
    "TYPE",
    "TABLE",
    "VIEW",
    "COMMENT",
    "SEQUENCE",
    "DEFAULT",
    "CHECK CONSTRAINT",
    "CONSTRAINT",
    "FK CONSTRAINT",
    "INDEX",
    "TRIGGER",
    "ROW SECURITY",
    "POLICY",
    "ACL",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DumpItem:
    """One object of a dump: its name and kind as pg_dump says them, and its statements."""

    name: str
    kind: str
    schema: str
    statements: str


def schema_text(url: str, service: str) -> str:
    """The text of a service's schema.sql, from a migrated database that the owner's `url` leads to."""
    items = dump_items(dump_schema(url, service))
    functions = [item.name for item in items if item.kind == "FUNCTION"]
    groups = _groups([item for item in items if not _is_of_a_function(item)])
    head = f"-- The schema of {service} at head, to be read. `make schemas` writes it from the migrations."
    if functions:
        groups.append(
            "\n".join(["-- Functions; their texts are in functions/.", *map("-- * {}".format, functions)])
        )
    return "\n\n".join([head, *groups]) + "\n"


def dump_schema(url: str, service: str) -> str:
    """pg_dump's text of a service's two schemas: equal for equal schemas, functions and grants."""
    command = [str(binaries() / "pg_dump"), "--schema-only", "--no-owner"]
    command += ["--restrict-key=schema", f"--schema={service}", f"--schema={service}_public", url]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def dump_items(dump: str) -> list[DumpItem]:
    """The objects of a dump, in its order."""
    _, *parts = _HEADER.split(dump)
    return [
        DumpItem(name=name, kind=kind, schema=schema, statements=_shortened(statements))
        for name, kind, schema, statements in zip(*(parts[n::4] for n in range(4)), strict=True)
    ]


def _shortened(statements: str) -> str:
    for pattern, shorter in _SHORTER:
        statements = pattern.sub(shorter, statements)
    return statements.strip()


def _is_of_a_function(item: DumpItem) -> bool:
    return item.kind == "FUNCTION" or item.name.startswith("FUNCTION ")


def _groups(items: Sequence[DumpItem]) -> list[str]:
    """Statements by what they belong to: schemas, types, tables by name, then views."""
    groups: dict[str, list[DumpItem]] = {}
    for item in items:
        groups.setdefault(_owner(item), []).append(item)
    for group in groups.values():
        group.sort(key=lambda item: _rank(item.kind))
    ordered = sorted(groups.items(), key=lambda named: _place(named[0], named[1][0].kind))
    return [_group_text(group) for _, group in ordered]


def _owner(item: DumpItem) -> str:
    """The table or view an item belongs to; what belongs to none is a group of its own."""
    if item.kind in ("TABLE", "VIEW", "TYPE"):
        return f"{item.schema}.{item.name}"
    if item.schema == "-":
        return "schemas"
    found = _TABLE.search(item.statements)
    return found.group(1) if found else f"{item.schema}.{item.name}"


def _rank(kind: str) -> int:
    return _KINDS.index(kind) if kind in _KINDS else len(_KINDS)


def _place(owner: str, kind: str) -> tuple[int, str]:
    return _rank(kind), owner if kind == "TABLE" else ""


def _group_text(group: Sequence[DumpItem]) -> str:
    grants = "\n".join(item.statements for item in group if item.kind == "ACL").splitlines()
    return "\n".join([*(item.statements for item in group if item.kind != "ACL"), *merged_grants(grants)])


def merged_grants(statements: Sequence[str]) -> list[str]:
    """One GRANT for each set of privileges instead of one for each column and role; others as they are."""
    roles: dict[tuple[str, str], list[str]] = {}
    merged: list[str] = []
    for statement in statements:
        if found := _GRANT.fullmatch(statement):
            roles.setdefault((found[1], found[2]), []).append(found[3])
        else:
            merged.append(statement)
    columns: dict[tuple[str, str, str], list[str]] = {}
    for (privilege, target), grantees in roles.items():
        column = _COLUMN.fullmatch(privilege)
        key = (column[1] if column else privilege.replace(",", ", "), target, ", ".join(grantees))
        columns.setdefault(key, []).extend([column[2]] if column else [])
    for (privilege, target, names), listed in columns.items():
        of_columns = f" ({', '.join(listed)})" if listed else ""
        merged.append(f"GRANT {privilege}{of_columns} ON {target} TO {names};")
    return merged
