"""What a command shows: rows on stdout as a table, JSON or CSV; everything else goes to stderr.

Promises: JSON and CSV carry every column and the whole value; no character of the data can steer a terminal,
and no text of the data is a formula when a spreadsheet opens the CSV. It knows nothing of what the rows mean.
"""

import csv
import json
import re
import sys
from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import asdict, is_dataclass
from datetime import date, datetime, time
from decimal import Decimal
from enum import Enum, StrEnum
from typing import Annotated, Any, Final, TextIO

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

EXIT_FINDINGS: Final = 1
EXIT_USAGE: Final = 2
PIPED_TABLE_COLUMNS_MAX: Final = 10_000
_FORMULA_BEGINS: Final = re.compile(r"\s*[=+\-@\uff1d\uff0b\uff0d\uff20]|[\t\r]")  # also in full width


class Output(StrEnum):
    """How rows are written."""

    table = "table"
    json = "json"
    csv = "csv"


OutputOption = Annotated[
    Output, typer.Option("--output", "-o", help="How to write the result on stdout.", case_sensitive=False)
]
Rows = Sequence[Mapping[str, object]]


def agreed(question: str) -> bool:
    """Ask on stderr. Click's own `err=True` still writes the blank before the answer to stdout."""
    with redirect_stdout(sys.stderr):
        return typer.confirm(question, err=True)


def show_rows(
    rows: Rows,
    output: Output = Output.table,
    *,
    columns: Sequence[str] | None = None,
    title: str | None = None,
    right: Sequence[str] = (),
    out: TextIO | None = None,
) -> None:
    """Write rows to stdout, one per line or record.

    columns: which and in what order; default: every key, in the order first met.
    right: columns aligned right in a table (amounts, counts). title: above a table only.
    """
    stream = out or sys.stdout
    named = list(columns) if columns is not None else _columns_of(rows)
    if output is Output.json:
        _write_json([{name: plain(row.get(name)) for name in named} for row in rows], stream)
    elif output is Output.csv:
        _write_csv(rows, named, stream)
    else:
        _write_table(rows, named, title, right, stream)


def show_one(row: Mapping[str, object], output: Output = Output.table, *, out: TextIO | None = None) -> None:
    """Write one thing: field by field as a table, an object as JSON, one record as CSV."""
    stream = out or sys.stdout
    if output is Output.json:
        _write_json(plain(row), stream)
    elif output is Output.csv:
        _write_csv([row], list(row), stream)
    else:
        fields = [{"field": name, "value": value} for name, value in row.items()]
        _write_table(fields, ["field", "value"], None, (), stream)


def say(sentence: str) -> None:
    """Tell the person something on stderr; stdout stays data."""
    typer.echo(safe(sentence), err=True)


def plain(value: object) -> Any:
    """Turn a value into what JSON can hold; instants become RFC 3339, unknown types their text.

    A whole `numeric` is a whole number, as amounts are everywhere; another one is its digits as text.
    """
    if value is None or (isinstance(value, bool | int | float | str) and not isinstance(value, Enum)):
        return value
    if isinstance(value, Decimal) and value.is_finite() and value == value.to_integral_value():
        return int(value)
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    if is_dataclass(value) and not isinstance(value, type):
        return plain(asdict(value))
    return _text(value)


def safe(text: str) -> str:
    """Show control and unprintable characters as escapes, so that data cannot move a cursor or hide."""
    return "".join(char if char.isprintable() or char in "\n\t" else _escaped(char) for char in text)


def _columns_of(rows: Rows) -> list[str]:
    return list(dict.fromkeys(name for row in rows for name in row))


def _write_json(value: object, stream: TextIO) -> None:
    json.dump(value, stream, ensure_ascii=False, indent=2)
    stream.write("\n")


def _write_csv(rows: Rows, columns: Sequence[str], stream: TextIO) -> None:
    writer = csv.writer(_Lines(stream), lineterminator="\r\n")
    writer.writerow([_no_formula(name) for name in columns])
    for row in rows:
        writer.writerow([_csv_cell(row.get(name)) for name in columns])


class _Lines:
    """Ends lines with a line feed. The csv module quotes a carriage return only where it writes one."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, line: str) -> int:
        return self._stream.write(line.removesuffix("\r\n") + "\n")


def _csv_cell(value: object) -> str:
    """Numbers as they are; text that a spreadsheet would read as a formula behind an apostrophe."""
    return _cell(value) if isinstance(value, int | float | Decimal) else _no_formula(_cell(value))


def _no_formula(text: str) -> str:
    return f"'{text}" if _FORMULA_BEGINS.match(text) else text


def _write_table(
    rows: Rows, columns: Sequence[str], title: str | None, right: Sequence[str], stream: TextIO
) -> None:
    table = Table(title=title, title_justify="left", header_style="bold")
    for name in columns:
        label = name.replace("_", " ")
        table.add_column(label, justify="right" if name in right else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(safe(_cell(row.get(name)))) for name in columns))
    # A pipe has no width: a table cut at 80 columns would lose data there.
    width = None if stream.isatty() else PIPED_TABLE_COLUMNS_MAX
    Console(file=stream, width=width).print(table)


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, Mapping | list | tuple):
        return json.dumps(plain(value), ensure_ascii=False)
    return _text(value)


def _text(value: object) -> str:
    match value:
        case bool():
            return "yes" if value else "no"
        case datetime() | date() | time():
            return value.isoformat()
        case Enum():
            return str(value.value)
        case bytes():
            return value.decode("utf-8", errors="backslashreplace")
        case Decimal():
            return f"{value:f}"  # str() writes 10000 as 1E+4 when its zeros are in the exponent
        case _:
            return str(value)


def _escaped(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii")
