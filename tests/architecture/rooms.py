"""The rooms of a service, read off the path: what a module in each may import and hold.

`faults` is what the tests ask of every module there is; a service that comes later is held to it by its path.
docs/architecture.md says why; this is the table.
"""

import ast
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Final

# What a domain may import of Python: no clock, no chance, no files, no processes, no network.
PURE: Final = frozenset(
    """
    abc bisect collections copy dataclasses datetime enum functools hashlib heapq hmac itertools json math
    operator re string textwrap types typing unicodedata uuid zoneinfo
    """.split()  # noqa: SIM905
)
WORKING_PARTS: Final = frozenset({"fleet.consumers", "fleet.kafka_client", "fleet.worker", "fleet.health"})
PURE_FLEET: Final = frozenset(
    {"fleet.money", "fleet.cause", "fleet.stripe_amounts", "fleet.stripe_keys", "fleet.zones"}
)
OUTER: Final = frozenset({"hobbs", "typer", "rich", "click"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """What a room may import: rooms of its own service, parts of fleet, schemas, packages of others."""

    rooms: frozenset[str]
    packages: frozenset[str] = frozenset()
    fleet: frozenset[str] | None = None  # None: all but its working parts
    schemas: bool = False
    pure: bool = False
    sql: bool = False


def _room(rooms: str, packages: str = "", **more: object) -> Room:
    return Room(rooms=frozenset(rooms.split()), packages=frozenset(packages.split()), **more)  # type: ignore[arg-type]


EVERY: Final = "domain wire store steps desk stripe http handlers settings metrics fault_points deciding app"
ROOMS: Final = {
    "domain": _room("domain", fleet=PURE_FLEET, pure=True),
    "wire": _room("domain wire", "pydantic orjson", schemas=True),
    "store": _room("domain store", "sqlalchemy orjson asyncpg", sql=True),
    "steps": _room("domain wire store steps metrics"),
    "desk": _room("domain wire store steps desk", "sqlalchemy orjson pydantic", schemas=True),
    "stripe": _room("domain wire store steps stripe settings metrics", "stripe httpx"),
    "http": _room(
        "domain wire store steps http settings metrics",
        "fastapi starlette pydantic orjson sqlalchemy aiokafka",
        schemas=True,
    ),
    "handlers": _room("domain wire store steps stripe handlers settings metrics"),
    "settings": _room("domain settings", "pydantic pydantic_settings"),
    "metrics": _room("domain wire http metrics", schemas=True),
    "fault_points": _room("", fleet=frozenset()),
    "deciding": _room("domain steps store handlers settings"),
    "app": _room(EVERY, schemas=True),
}
ONLY_IN: Final = {"stripe": "payouts", "deciding": "payouts", "http": "gateway"}
# The command line and the console, and what they may know of a service.
OUTSIDE: Final = ("hobbs/", "console/")
SEEN_FROM_OUTSIDE: Final = frozenset({"desk", "domain", "settings", "app", "deciding"})
SQL: Final = re.compile(
    r"\bSELECT\s.*\bFROM\b|\bSELECT\s+[\w.]+\(|\bINSERT\s+INTO\b|\bUPDATE\s+[\w.]+\s.*\bSET\b|\bDELETE\s+FROM\b"
    r"|\b(?:CREATE|ALTER|DROP|TRUNCATE|LOCK)\s+(?:TABLE|VIEW|ROLE|FUNCTION|INDEX|SCHEMA|TYPE)\b",
    re.DOTALL | re.IGNORECASE,
)
# Beside the services: fleet's own tables, and what looks at a whole installation as its owner.
CONSOLE_STORE: Final = "console/store/"  # its own tables
CONSOLE_READS: Final = "console/reads/"  # published views only, as a desk's
SQL_BESIDE: Final = (
    "fleet",
    "hobbs/demo",
    "hobbs/doctor",
    "hobbs/local",
    "hobbs/persons",
    "hobbs/put_back",
    "hobbs/rebuild",
    "bench",
    "tests",
    "deploy",
)
# What a desk reads: published views, its own WITH queries, and functions.
SOURCE: Final = re.compile(r"\b(?:FROM|JOIN)\s+(?:LATERAL\s+)?([a-z_]\w*(?:\.\w+)?)(?!\w*[.(])", re.ASCII)
WITH: Final = re.compile(r"\b(\w+) AS (?:NOT )?(?:MATERIALIZED )?\(", re.ASCII)
IMPURE: Final = re.compile(
    r"\b(?:datetime|date)\.(?:now|today|utcnow)\b|\buuid[14678]\b"
    r"|(?<![.\w])(?:open|print|input|eval|exec|__import__)\("
)


@dataclass(frozen=True, slots=True)
class _Place:
    service: str
    room: str | None  # None: a file that is in no room
    within: tuple[str, ...] = field(default=())


def faults(path: str, text: str) -> list[str]:
    """What is wrong with this text at this place of the tree, as sentences; empty when nothing is."""
    tree, place = ast.parse(text), _place(PurePosixPath(path))
    found = [*_sql_faults(path, place, tree)]
    if path.startswith(OUTSIDE):
        found += _outside_faults(tree)
    if place is None:
        return found
    if place.room is None:
        return [*found, f"{path} is in no room: {', '.join(sorted(ROOMS))}"]
    if ONLY_IN.get(place.room, place.service) != place.service:
        found.append(f"only {ONLY_IN[place.room]} has a room {place.room}")
    room = ROOMS[place.room]
    found += [fault for module in _imports(tree) if (fault := _import_fault(module, place, room))]
    if place.room in ("domain", "store"):
        found += _number_faults(tree, exact=room.pure)
    if room.pure:
        code = ast.unparse(tree)  # without comments
        found += [f"domain is pure: not {used}" for used in sorted({m[0] for m in IMPURE.finditer(code)})]
    return found


def _place(path: PurePosixPath) -> _Place | None:
    """The service and room of a path; None when it is no service's, or a migration."""
    parts = path.parts
    if parts[0] != "services" or len(parts) < 3 or parts[2] == "migrations":
        return None
    name = parts[2].removesuffix(".py")
    if name == "__init__":
        return None
    return _Place(parts[1], name if name in ROOMS else None, parts[3:])


def _imports(tree: ast.Module) -> Iterator[str]:
    """Every module that is imported, with `from package import module` as package.module too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                yield "."
            elif node.module and node.module.count(".") <= 1:
                yield from (f"{node.module}.{alias.name}" for alias in node.names)
            else:
                yield node.module or ""


def _import_fault(module: str, place: _Place, room: Room) -> str | None:
    top, _, _ = module.partition(".")
    if module == ".":
        return "relative imports hide the room: write services.<name>.<room>"
    if top == "services":
        return _service_fault(module, place, room)
    if top == "fleet":
        return _fleet_fault(module, place, room)
    if top == "schemas":
        return None if room.schemas else f"{place.room} does not know schemas"
    if top in sys.stdlib_module_names and module not in ("importlib.machinery",):
        return f"{place.room} is pure: no {top}" if room.pure and top not in PURE else None
    known = room.packages | (_all_packages() if place.room == "app" else frozenset())
    return None if top in known else f"{place.room} does not import {top}"


def _all_packages() -> frozenset[str]:
    return frozenset[str]().union(*(room.packages for room in ROOMS.values())) - OUTER


def _service_fault(module: str, place: _Place, room: Room) -> str | None:
    parts = module.split(".")
    if len(parts) > 1 and parts[1] != place.service:
        return f"{place.service} imports the service {parts[1]}"
    if len(parts) > 2 and parts[2] not in room.rooms:
        return f"{place.room} does not import {parts[2]}"
    return None


def _fleet_fault(module: str, place: _Place, room: Room) -> str | None:
    part = ".".join(module.split(".")[:2])
    if room.fleet is not None:
        return None if part in room.fleet else f"{place.room} does not import {part}"
    working = part in WORKING_PARTS and place.room not in ("app", "deciding", "settings")
    return f"{place.room} does not import {part}" if working else None


def _number_faults(tree: ast.Module, *, exact: bool) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, float):
            yield f"the float {node.value}: amounts are integers, times are timedeltas"
        elif exact and isinstance(node, ast.Name) and node.id in ("float", "Decimal"):
            yield f"{node.id}: amounts are integers, times are timedeltas"
        elif exact and isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.Div):
            yield "a / makes a float of two integers: // or fleet.money"


def _sql_faults(path: str, place: _Place | None, tree: ast.Module) -> Iterator[str]:
    if path.startswith((*SQL_BESIDE, CONSOLE_STORE)) or "/migrations/" in path:
        return
    if place is not None and place.room is not None and ROOMS[place.room].sql:
        return
    texts = [text for text in _strings(tree) if SQL.search(text)]
    desk_reads = (
        place is not None and place.room == "desk" and path.split("/")[3].removesuffix(".py") == "reads"
    )
    if desk_reads or path.startswith(CONSOLE_READS):
        known = {name for text in texts for name in WITH.findall(text)}
        for name in (name for text in texts for name in SOURCE.findall(text)):
            if "_public." not in name and name not in known:
                yield f"it reads {name}, which is no published view"
    else:
        for text in texts:
            yield f"SQL outside store, desk/reads and migrations: {' '.join(text.split())[:60]}"


def _strings(tree: ast.Module) -> Iterator[str]:
    """String constants that are not docstrings."""
    docs = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs:
            yield node.value


def _outside_faults(tree: ast.Module) -> Iterator[str]:
    for module in _imports(tree):
        parts = module.split(".")
        if parts[0] == "services" and len(parts) > 2 and parts[2] not in SEEN_FROM_OUTSIDE:
            yield f"only a service's {', '.join(sorted(SEEN_FROM_OUTSIDE))} are known outside, not {module}"
