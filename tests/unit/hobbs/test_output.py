"""Rows on stdout: whole in JSON and CSV, harmless in a table."""

import csv
import io
import json
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

import pytest

from hobbs.shell.output import Output, plain, safe, show_one, show_rows

INSTANT = datetime(2026, 5, 22, 12, tzinfo=UTC)
ID = UUID("01890a5d-ac96-774b-bcce-b302099a8057")


class Meter(StrEnum):
    hobbs = "hobbs"


def written(rows: list[dict[str, Any]], output: Output, **options: Any) -> str:
    out = io.StringIO()
    show_rows(rows, output, out=out, **options)
    return out.getvalue()


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        (True, True),
        (12, 12),
        ("a", "a"),
        (INSTANT, "2026-05-22T12:00:00+00:00"),
        (date(2026, 5, 22), "2026-05-22"),
        (ID, str(ID)),
        (Meter.hobbs, "hobbs"),
        (b"\xff{", "\\xff{"),
        (Decimal("1E+4"), 10_000),
        (Decimal("-2E+6"), -2_000_000),
        (Decimal("1.0"), 1),
        (Decimal("12.50"), "12.50"),
        (Decimal("1E-7"), "0.0000001"),
        (Decimal("NaN"), "NaN"),
        ({"sum": Decimal("3E+5")}, {"sum": 300_000}),
        ({"a": [ID, {"b": INSTANT}]}, {"a": [str(ID), {"b": "2026-05-22T12:00:00+00:00"}]}),
    ],
)
def test_every_value_becomes_what_json_can_hold(value: object, expected: object) -> None:
    assert plain(value) == expected
    json.dumps(plain(value))


def test_json_carries_every_row_and_column_in_order() -> None:
    rows = json.loads(written([{"b": 1, "a": None}, {"b": 2, "c": "ä"}], Output.json))
    assert rows == [{"b": 1, "a": None, "c": None}, {"b": 2, "a": None, "c": "ä"}]
    assert list(rows[0]) == ["b", "a", "c"]


def test_no_rows_are_an_empty_list_and_a_header() -> None:
    assert json.loads(written([], Output.json, columns=["a"])) == []
    assert written([], Output.csv, columns=["a", "b"]) == "a,b\n"


def test_csv_is_read_back_whole() -> None:
    rows = [{"name": 'a "quoted", line\nbroken', "amount": -1200, "facts": {"x": 1}, "none": None}]
    read = list(csv.DictReader(io.StringIO(written(rows, Output.csv))))
    assert read == [{"name": 'a "quoted", line\nbroken', "amount": "-1200", "facts": '{"x": 1}', "none": ""}]


def test_a_table_in_a_pipe_is_never_cut() -> None:
    long = "x" * 500
    assert long in written([{"value": long}], Output.table)


@pytest.mark.parametrize("hostile", ["\x1b[2J", "\x07", "\u202e", "a\x9bb", "\r"])
def test_data_cannot_steer_the_terminal(hostile: str) -> None:
    table = written([{"value": f"[red]{hostile}"}], Output.table)
    assert hostile not in table
    assert "[red]" in table, "markup of the data is data"
    assert safe(hostile) != hostile


def test_one_thing_is_an_object_or_its_fields() -> None:
    out = io.StringIO()
    show_one({"id": ID, "amount": 5}, Output.json, out=out)
    assert json.loads(out.getvalue()) == {"id": str(ID), "amount": 5}
    table = io.StringIO()
    show_one({"id": ID, "amount": 5}, Output.table, out=table)
    assert "amount" in table.getvalue()


@pytest.mark.parametrize("amount", ["1E+4", "-1E+4", "1.2E+7", "0E+4"])
@pytest.mark.parametrize("output", Output)
def test_a_sum_is_written_with_all_its_digits(amount: str, output: Output) -> None:
    shown = written([{"sum": Decimal(amount)}], output)
    assert "E+" not in shown
    assert str(int(Decimal(amount))) in shown


@pytest.mark.parametrize(
    "hostile", ["=1+1", "+49 170", "-2+3", "@SUM(A1)", "\t=1", "\r=1", " =1", "\n=1", "\uff1d1"]
)
def test_no_text_in_csv_is_a_formula(hostile: str) -> None:
    out = io.StringIO(written([{hostile: hostile}], Output.csv), newline="")
    assert list(csv.reader(out)) == [[f"'{hostile}"], [f"'{hostile}"]]
    one = io.StringIO()
    show_one({"memo": hostile}, Output.csv, out=one)
    assert list(csv.reader(io.StringIO(one.getvalue(), newline=""))) == [["memo"], [f"'{hostile}"]]


@pytest.mark.parametrize(
    ("value", "cell"), [(-5, "-5"), (Decimal("-1E+4"), "-10000"), (-1.5, "-1.5"), ("a=1", "a=1")]
)
def test_numbers_and_other_text_stay_as_they_are_in_csv(value: object, cell: str) -> None:
    assert written([{"x": value}], Output.csv) == f"x\n{cell}\n"
