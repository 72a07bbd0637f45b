"""A workbook holds what the CSV file holds: numbers as numbers, and no text that a spreadsheet computes."""

import csv
import io
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from openpyxl import load_workbook

from console.reads.tables import Column, Listing
from console.shown import csv_lines
from console.workbooks import workbook

ZONE = "America/New_York"
LIST = Listing(
    name="some",
    title="A list whose title is longer than a sheet's may be",
    sql="",
    columns=(
        Column(name="text", title="Text"),
        Column(name="amount", title="Amount", kind="money", empty=True),
        Column(name="hours", title="Hours", kind="hours"),
        Column(name="number", title="Number", kind="number"),
        Column(name="at", title="At", kind="instant"),
        Column(name="day", title="Day", kind="date"),
        Column(name="flag", title="Flag", kind="flag"),
        Column(name="several", title="Several", kind="list"),
        Column(name="currency", title="Currency"),
    ),
    key="text",
    order="text",
)


def row(**changed: Any) -> dict[str, Any]:
    return {
        "text": "plain", "amount": -123_456, "hours": 13, "number": 7,
        "at": datetime(2026, 5, 22, 12, tzinfo=UTC),
        "day": date(2026, 5, 22), "flag": True, "several": ["a", "b"], "currency": "USD",
    } | changed  # fmt: skip


def cells(rows: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    sheet = load_workbook(io.BytesIO(workbook(LIST, rows, ZONE))).worksheets[0]
    return list(sheet.iter_rows(values_only=True))


def test_amounts_and_hours_are_numbers_to_the_last_digit() -> None:
    titles, first, second, third = cells(
        [row(), row(amount=5, currency="JPY"), row(amount=None, currency="KWD")]
    )
    assert titles == tuple(column.title for column in LIST.columns)
    assert first[:4] == ("plain", -1234.56, 1.3, 7)
    assert (second[1], third[1]) == (5, None)
    large = 9_007_199_254_740_93
    assert Decimal(str(cells([row(amount=large)])[1][1])) == Decimal(large).scaleb(-2)


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", '=HYPERLINK("x")', "\x00\x01=1", "a\u202eb"])
def test_no_text_becomes_a_formula_or_breaks_the_file(text: str) -> None:
    sheet = load_workbook(io.BytesIO(workbook(LIST, [row(text=text)], ZONE))).worksheets[0]
    cell = sheet.cell(row=2, column=1)
    assert cell.data_type == "s"
    assert str(cell.value) in text.replace("\u202e", "")


def test_both_files_hold_the_same() -> None:
    rows = [row(), row(text="other", amount=0, flag=False, several=[])]
    read = list(csv.reader(io.StringIO("".join(csv_lines(LIST, rows, ZONE)))))
    for line, found in zip(read[1:], cells(rows)[1:], strict=True):
        for said, value in zip(line, found, strict=True):
            if isinstance(value, int | float):
                assert Decimal(said) == Decimal(str(value))
            elif isinstance(value, datetime):
                assert said == value.date().isoformat()
            else:
                assert said == (value or "")
