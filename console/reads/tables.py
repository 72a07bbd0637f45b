"""Lists: one way to sort, filter, page by cursor and export, over queries that console/reads names.

A query is a constant; what a browser sends chooses among its columns and becomes parameters, never SQL text.
A page begins where the last one ended (a cursor: the sorted value and the row's key), so rows that come in
between neither repeat nor hide others.
"""

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import lru_cache
from typing import Any, Final, Literal
from uuid import UUID

from console.times import begin_of_day, end_of_day
from fleet.database import Tx

PAGE: Final = 50
EXPORT_MAX: Final = 50_000
TEXT_CHARS_MAX: Final = 200
NOBODY: Final[Mapping[str, str]] = {}

Kind = Literal[
    "text", "long", "money", "number", "hours", "instant", "date", "state", "flag", "id", "wallet", "list",
    "source", "card", "who",
]  # fmt: skip
_CASTS: Final = {
    "money": "bigint",
    "number": "bigint",
    "hours": "bigint",
    "instant": "timestamptz",
    "date": "date",
    "flag": "boolean",
}
_INTEGER_MAX: Final = 2**63 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column of a list. `title` is what people read; `link` is an address with the row's fields in braces.

    `unsorted`: nobody may sort by it. `choices`: the values it is filtered by. `filtered`: how a text is.
    `export_only`: in files, not on the page; `page_only`: a way on, so not in files. `empty`: it may be
    null, so it is compared with care.
    `of`: what stands before the value to make it a wallet's address. `hours` are tenths of an hour.
    `who`: a person's name, beside it the row's `login`, which vouched for it.
    """

    name: str
    title: str
    kind: Kind = "text"
    link: str | None = None
    choices: Sequence[str] = ()
    filtered: Literal["is", "has", "between"] | None = None
    unsorted: bool = False
    empty: bool = False
    export_only: bool = False
    page_only: bool = False
    of: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """A list: its query with its columns, the column that names a row, and the order it comes in.

    `first`: a query with at least the rows of the first page in that order, where `sql` computes all rows.
    `sums`: each row adds up many, so the first page as it comes may be seconds old (console/recent.py).
    """

    name: str
    title: str
    sql: str
    columns: Sequence[Column]
    key: str
    order: str  # "-created_at": the newest first
    first: str | None = None
    sums: bool = False
    empty: str = "Nothing here."
    key_kind: Literal["text", "uuid"] = "text"

    def column(self, name: str) -> Column | None:
        return next((column for column in self.columns if column.name == name), None)

    @property
    def thing(self) -> str | None:
        """The address of what a row is of, as its first column that leads anywhere has it."""
        return next((column.link for column in self.columns if column.link), None)

    @property
    def in_files(self) -> Sequence[Column]:
        return [column for column in self.columns if not column.page_only]


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What a browser asked of a list: checked, so that each part is one the list has."""

    order: str
    filters: Mapping[str, str] = field(default_factory=dict)
    after: tuple[Any, Any] | None = None
    problems: Sequence[str] = ()

    @property
    def sorted_by(self) -> str:
        return self.order.removeprefix("-")

    @property
    def descending(self) -> bool:
        return self.order.startswith("-")


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Rows of a list, and the cursor of the next page, None on the last."""

    rows: Sequence[Mapping[str, Any]]
    next_cursor: str | None


def question(listing: Listing, query: Mapping[str, str]) -> Question:
    """Read what a browser sent. What the list does not have is left out, with a sentence for the person."""
    problems: list[str] = []
    order = query.get("sort", "") or listing.order
    column = listing.column(order.removeprefix("-"))
    if column is None or column.unsorted:
        problems.append(f"this list cannot be sorted by {order.removeprefix('-')[:40]!r}")
        order = listing.order
    filters = {}
    for name, _ in filter_names(listing):
        text = query.get(f"f.{name}", "").strip()
        if not text:
            continue
        if problem := _filter_problem(listing, name, text):
            problems.append(problem)
        else:
            filters[name] = text
    after = None
    if cursor := query.get("after"):
        after = _read_cursor(listing, order, cursor)
        if after is None:
            problems.append("the link to this page is damaged: this is the first page")
    return Question(order=order, filters=filters, after=after, problems=tuple(problems))


@lru_cache(maxsize=256)
def _filters_of(columns: tuple[Column, ...]) -> tuple[tuple[str, Column], ...]:
    found: list[tuple[str, Column]] = []
    for column in columns:
        if column.filtered == "between":
            found += [(f"{column.name}.from", column), (f"{column.name}.to", column)]
        elif column.filtered or column.choices:
            found.append((column.name, column))
    return tuple(found)


def filter_names(listing: Listing) -> Sequence[tuple[str, Column]]:
    """The filters of a list, each with its column: `created_at.from` and `.to` for a column between two."""
    return _filters_of(tuple(listing.columns))


def _filter_problem(listing: Listing, name: str, text: str) -> str | None:
    column = listing.column(name.removesuffix(".from").removesuffix(".to"))
    if column is None or len(text) > TEXT_CHARS_MAX:
        return "a filter is too long: it is left out"
    if column.choices and text not in column.choices:
        return f"{column.title} is one of {', '.join(column.choices)}"
    if column.filtered == "between" and _day(text) is None:
        return f"{column.title} is filtered by a day such as 2026-05-22"
    return None


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


async def page(
    tx: Tx,
    listing: Listing,
    asked: Question,
    *,
    zone: str,
    size: int = PAGE,
    given: Mapping[str, Any] | None = None,
    people: Mapping[str, str] = NOBODY,
) -> Page:
    """The rows of one page; `zone`: days of a filter are days there; `given`: the query's own parameters.

    people: names by wallet, by which a person is found too.
    """
    rows = await tx.all(
        _statement(listing, asked, size + 1), **_parameters(listing, asked, zone, people), **(given or {})
    )
    shown = [dict(row._mapping) for row in rows[:size]]
    more = len(rows) > size
    return Page(rows=shown, next_cursor=_cursor(listing, asked, shown[-1]) if more and shown else None)


async def everything(
    tx: Tx,
    listing: Listing,
    asked: Question,
    *,
    zone: str,
    given: Mapping[str, Any] | None = None,
    people: Mapping[str, str] = NOBODY,
) -> list[dict[str, Any]]:
    """All rows that the filters let through, for a file: EXPORT_MAX at most, one more when there are more."""
    whole = Question(order=asked.order, filters=asked.filters)
    rows = await tx.all(
        _statement(listing, whole, EXPORT_MAX + 1),
        **_parameters(listing, whole, zone, people),
        **(given or {}),
    )
    return [dict(row._mapping) for row in rows]


def _statement(listing: Listing, asked: Question, most: int) -> str:
    """The limit is in the text: with a parameter the planner expects a tenth of all rows."""
    conditions = [_condition(listing, name, text) for name, text in asked.filters.items()]
    column = listing.column(asked.sorted_by)
    assert column is not None, "a question names columns of its list"
    turn = "DESC" if asked.descending else "ASC"
    if asked.after is not None:
        conditions.append(_beyond(listing, column, asked))
    where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
    nulls = f"({column.name} IS NULL), " if column.empty else ""
    order = f"{nulls}{column.name} {turn}, {listing.key} {turn}"
    begins = asked.order == listing.order and asked.after is None and not asked.filters and most <= PAGE + 1
    rows = listing.first if listing.first and begins else listing.sql
    # Every word is of a Listing or of this module; what came from a browser is in the parameters.
    return f"SELECT * FROM ({rows}) AS listed {where} ORDER BY {order} LIMIT {most}"  # noqa: S608


def _is_whole(text: str) -> bool:
    """Whether a text that is looked for stands in quotes: then it is all of the value, not a part of it."""
    return len(text) > 2 and text[0] == text[-1] == '"'


def _condition(listing: Listing, name: str, text: str) -> str:
    parameter = f"f_{name.replace('.', '_')}"
    if name.endswith(".from"):
        return f"{name.removesuffix('.from')} >= :{parameter}"
    if name.endswith(".to"):
        return f"{name.removesuffix('.to')} < :{parameter}"
    column = listing.column(name)
    assert column is not None, "a filter names a column of its list"
    if column.kind == "flag":
        return f"{name} = CAST(:{parameter} AS boolean)"
    if column.kind == "list":
        return f":{parameter} = ANY ({name})"
    if column.filtered == "has" and not _is_whole(text):
        has = f"strpos(lower({name}), lower(:{parameter})) > 0"
        named = f"{name} = ANY (CAST(:{parameter}_named AS text[]))"
        return f"({has} OR {named})" if column.kind == "wallet" else has
    return f"{name} = :{parameter}"


def _beyond(listing: Listing, column: Column, asked: Question) -> str:
    assert asked.after is not None
    than = "<" if asked.descending else ">"
    kind = listing.key_kind if column.name == listing.key else _CASTS.get(column.kind, "text")
    value = f"CAST(:after AS {kind})"
    key = f"CAST(:after_key AS {listing.key_kind})"
    if not column.empty:
        return f"({column.name}, {listing.key}) {than} ({value}, {key})"
    if asked.after[0] is None:
        return f"({column.name} IS NULL AND {listing.key} {than} {key} AND {value} IS NULL)"
    return (
        f"({column.name} {than} {value} OR {column.name} = {value} AND {listing.key} {than} {key}"
        f" OR {column.name} IS NULL)"
    )


def called(people: Mapping[str, str], text: str, of: str) -> list[str]:
    """Of whom a name has this text: their wallets, without what stands before each."""
    wanted = text.lower()
    return [
        wallet.removeprefix(of)
        for wallet, name in people.items()
        if wallet.startswith(of) and wanted in name.lower()
    ]


def _parameters(listing: Listing, asked: Question, zone: str, people: Mapping[str, str]) -> dict[str, Any]:
    given: dict[str, Any] = {}
    for name, text in asked.filters.items():
        parameter = f"f_{name.replace('.', '_')}"
        column = listing.column(name.removesuffix(".from").removesuffix(".to"))
        day = _day(text) if name.endswith((".from", ".to")) else None
        if day is None or column is None:
            exact = column is not None and column.filtered == "has" and _is_whole(text)
            plain = text[1:-1] if exact else text
            if column is not None and column.kind == "wallet" and column.filtered == "has" and not exact:
                given[f"{parameter}_named"] = called(people, text, column.of)
            given[parameter] = text == "yes" if column is not None and column.kind == "flag" else plain
        elif column.kind == "date":
            given[parameter] = day if name.endswith(".from") else end_of_day(day, "UTC").date()
        else:
            given[parameter] = begin_of_day(day, zone) if name.endswith(".from") else end_of_day(day, zone)
    if asked.after is not None:
        given["after"], given["after_key"] = asked.after
    return given


def _cursor(listing: Listing, asked: Question, row: Mapping[str, Any]) -> str:
    value, key = row[asked.sorted_by], row[listing.key]
    plain = value if value is None or isinstance(value, bool | int) else _text(value)
    return base64.urlsafe_b64encode(json.dumps([plain, str(key)]).encode()).decode().rstrip("=")


def _text(value: Any) -> str:
    return value.isoformat() if isinstance(value, date | datetime) else str(value)


def _read_cursor(listing: Listing, order: str, cursor: str) -> tuple[Any, Any] | None:
    column = listing.column(order.removeprefix("-"))
    try:
        padded = cursor[:2_000] + "=" * (-len(cursor) % 4)
        value, key = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        if not isinstance(key, str) or column is None or "\x00" in key:
            return None
        return _typed(listing, column, value), UUID(key) if listing.key_kind == "uuid" else key
    except (ValueError, TypeError, binascii.Error, OverflowError, RecursionError):
        return None


def _typed(listing: Listing, column: Column, value: Any) -> Any:
    """The sorted value of a cursor, of the column's type. Raises ValueError or TypeError."""
    if value is None:
        if not column.empty:
            raise ValueError("no null in this column")
        return None
    if column.kind in ("money", "number", "hours"):
        if isinstance(value, bool) or not isinstance(value, int) or abs(value) > _INTEGER_MAX:
            raise ValueError("not a number of this column")
        return value
    if column.kind == "flag":
        if not isinstance(value, bool):
            raise ValueError("neither true nor false")
        return value
    if not isinstance(value, str) or "\x00" in value:
        raise ValueError("not a text")
    if column.kind == "instant":
        instant = datetime.fromisoformat(value)
        if instant.tzinfo is None:
            raise ValueError("an instant has a zone")
        return instant
    if column.kind == "date":
        return date.fromisoformat(value)
    return UUID(value) if listing.key_kind == "uuid" and column.name == listing.key else value
