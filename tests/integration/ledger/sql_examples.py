"""Executes the statements of a Markdown page and writes what comes out below each of them."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import asyncpg

PAGE: Final = Path(__file__).resolve().parents[3] / "docs" / "ledger-sql.md"
_EXAMPLE: Final = re.compile(r"```sql\n(?P<statement>.*?);\n```\n```text\n.*?```\n", re.DOTALL)
_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_NOW: Final = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+\+00(:00)?")


async def executed(dba: asyncpg.Connection, text: str) -> str:
    """The page with every output as it is today; statements run in their order."""
    parts, end = [], 0
    for example in _EXAMPLE.finditer(text):
        statement = example["statement"]
        output = await _output(dba, statement)
        parts += [text[end : example.start()], f"```sql\n{statement};\n```\n```text\n{output}```\n"]
        end = example.end()
    return "".join([*parts, text[end:]])


async def _output(dba: asyncpg.Connection, statement: str) -> str:
    try:
        rows = await dba.fetch(statement)
    except asyncpg.PostgresError as error:
        detail = f"DETAIL: {error.detail}\n" if error.detail else ""
        return _steady(f"ERROR: {error.message}\n{detail}")
    names = list(rows[0].keys()) if rows else ["nothing"]
    cells = [[_text(value) for value in row.values()] for row in rows]
    widths = [max(map(len, column)) for column in zip(names, *cells, strict=True)]
    lines = [names, ["-" * width for width in widths], *cells]
    return "".join(_line(line, widths) for line in lines)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return " | ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip() + "\n"


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "t" if value else "f"
    return "" if value is None else _steady(str(value))


def _steady(text: str) -> str:
    """Write what differs from run to run as a placeholder; the examples' own instants are whole seconds."""
    return _NOW.sub("<now>", _UUID.sub("<uuid>", text))
