"""Amounts in a command's rows: the currency's own decimals for people, minor units for programs."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from fleet.money import format_minor
from hobbs.shell.output import Output


def with_money(
    rows: Sequence[Mapping[str, Any]], output: Output, columns: Collection[str]
) -> list[dict[str, Any]]:
    """Write these columns of a table's rows in each row's `currency`; JSON and CSV stay as they are."""
    if output is not Output.table:
        return [dict(row) for row in rows]
    return [{name: _written(row, name, columns) for name in row} for row in rows]


def _written(row: Mapping[str, Any], name: str, columns: Collection[str]) -> Any:
    currency = row.get("currency")
    if name not in columns or row[name] is None or currency is None:
        return row[name]
    return format_minor(row[name], currency)
