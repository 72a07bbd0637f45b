"""Amounts in a command's rows: the currency's own decimals for people, minor units for programs."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from fleet.money import format_minor
from hobbs.shell.output import Output


def with_money(
    rows: Sequence[Mapping[str, Any]],
    output: Output,
    columns: Collection[str],
    *,
    currency: str | None = None,
) -> list[dict[str, Any]]:
    """Write these columns of a table's rows in a currency; JSON and CSV stay as they are.

    currency: of all rows; default: each row's own `currency`, and a row without one stays as it is.
    """
    if output is not Output.table:
        return [dict(row) for row in rows]
    return [readable(row, columns, currency=currency) for row in rows]


def readable(
    row: Mapping[str, Any], columns: Collection[str], *, currency: str | None = None
) -> dict[str, Any]:
    """One row with these columns in a currency's decimals: 12500 becomes 125.00. As `with_money` else."""
    chosen = currency or row.get("currency")
    if chosen is None:
        return dict(row)
    amounts = {name for name in columns if row.get(name) is not None}
    return {
        name: format_minor(int(value), chosen) if name in amounts else value for name, value in row.items()
    }
