"""Invariants: named queries that must return no rows, and the sentence that each one means.

A file holds queries separated by `-- name: snake_case_name` lines; comment lines right below it are the
invariant's sentence. A service's file is asked as that service's role, all of its queries in one read-only
snapshot, so that a busy system gives no false alarm.
"""

import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from asyncpg import PostgresError
from sqlalchemy import Row
from sqlalchemy.exc import DBAPIError

from fleet.database import Database, Tx
from fleet.folders import folder_of
from fleet.outages import first_line

EXAMPLES_MAX: Final = 5
_OF_EACH: Final = Path(__file__).parent / "sql" / "each_service.sql"
_NAME = re.compile(r"^--\s*name:\s*(?P<name>\w+)[ \t]*(?:[:—-]+[ \t]*(?P<rest>.+))?$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Invariant:
    """A query that must return no rows, and what that means."""

    service: str
    name: str
    sentence: str
    sql: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How one invariant fared: holds, or rows that break it, or the reason why it could not be asked."""

    invariant: Invariant
    rows: int
    examples: list[dict[str, Any]]
    seconds: float
    failure: str | None = None

    @property
    def holds(self) -> bool:
        return self.rows == 0 and self.failure is None


def service_invariants(service: str) -> list[Invariant]:
    """The service's own invariants, then those of the tables that every service has."""
    return [*read(service, folder_of(service) / "invariants.sql"), *read(service, _OF_EACH)]


def named_invariant(service: str, name: str) -> Invariant:
    """One of a service's, for who tells of it in another way."""
    return next(one for one in service_invariants(service) if one.name == name)


def read(service: str, path: Path) -> list[Invariant]:
    """The invariants in a file; none when it is not there."""
    return list(parse(service, path.read_text(encoding="utf-8"))) if path.exists() else []


def parse(service: str, text: str) -> Iterator[Invariant]:
    """Split a file into its invariants."""
    starts = list(_NAME.finditer(text))
    for start, end in zip(starts, [*(s.start() for s in starts[1:]), len(text)], strict=True):
        lines = text[start.end() : end].strip().splitlines()
        comments = _leading_comments(lines)
        told = " ".join(filter(None, [start["rest"], *comments])).strip()
        yield Invariant(
            service=service,
            name=start["name"],
            sentence=told or start["name"].replace("_", " "),
            sql="\n".join(lines[len(comments) :]).strip().rstrip(";"),
        )


def _leading_comments(lines: Sequence[str]) -> list[str]:
    comments: list[str] = []
    for line in lines:
        if not line.startswith("--"):
            break
        comments.append(line.removeprefix("--").strip())
    return comments


async def ask_all(
    database: Database,
    invariants: Sequence[Invariant],
    why: Callable[[BaseException], str] = first_line,
) -> list[Outcome]:
    """Ask each invariant in one read-only snapshot; one that cannot be asked spoils no other."""
    if not invariants:
        return []
    async with database.transaction() as tx:
        await tx.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        return [await _ask(tx, invariant, why) for invariant in invariants]


async def _ask(tx: Tx, invariant: Invariant, why: Callable[[BaseException], str]) -> Outcome:
    started = time.perf_counter()
    rows: list[Row[Any]] = []
    failure = None
    try:
        async with tx.savepoint():
            rows = await tx.all(without_parameters(invariant.sql))
    except (DBAPIError, PostgresError) as error:
        failure = f"could not be asked: {why(error)}"
    return Outcome(
        invariant=invariant,
        rows=len(rows),
        examples=[dict(row._mapping) for row in rows[:EXAMPLES_MAX]],
        seconds=time.perf_counter() - started,
        failure=failure,
    )


def without_parameters(sql: str) -> str:
    """Keep `:word` in a query (a label, a regular expression) from reading as a parameter."""
    return re.sub(r"(?<![:\w\\]):(?=[A-Za-z_])", r"\:", sql)
