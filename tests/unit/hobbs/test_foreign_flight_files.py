"""Flight files of every shape that other programs write: read as meant, or refused with line and column."""

import csv
import io
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, time
from decimal import Decimal
from typing import Any, Final

from hypothesis import given, seed, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from hobbs.flights.cells import Decimals, Minutes
from hobbs.flights.file import FlightsFile, parse_column_map, read_flights_file
from hobbs.flights.unreadable import FileUnreadable
from schemas.flights import FlightCompleted

HEADERS: Final[Mapping[str, Sequence[str]]] = {
    "flight_id": ("flight_id", "Flight No", "Nr"),
    "date": ("date", "Datum", "Flight Date"),
    "aircraft": ("Aircraft", "Kennzeichen", "Tail"),
    "student": ("student", "Schüler", "Élève"),
    "instructor": ("Lehrer", "CFI"),
    "hobbs_out": ("Hobbs Out", "Zähler ab"),
    "hobbs_in": ("Hobbs In", "Zähler an"),
    "flight_hours": ("Zeit", "Total Time"),
    "dual_hours": ("Dual", "Schulung"),
}
FORMATS: Final = ("%Y-%m-%d", "%d.%m.%Y", "%m/%d/%Y", "%d/%m/%Y", "%d.%m.%y", "%d-%b-%Y")
METERS: Final = ("hobbs_out", "hobbs_in")
TIMES: Final = ("flight_hours", "dual_hours")
THOUSANDS: Final[Mapping[Decimals | None, Sequence[str]]] = {
    "point": ("", ",", " ", "'"),
    "comma": ("", ".", "\u00a0", "\u202f"),
    None: ("", " ", "\u2019"),
}

Meant = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Foreign:
    """A file's flights in tenths, and how its program writes."""

    flights: Sequence[Meant]
    headers: Mapping[str, str]
    order: Sequence[str]
    date_format: str
    decimals: Decimals | None
    thousands: str
    minutes: bool
    delimiter: str
    encoding: str
    line_end: str
    title: bool
    blank_lines: bool

    def cell(self, name: str, value: Any) -> str:
        if value is None:
            return ""
        if isinstance(value, date):
            return value.strftime(self.date_format)
        if not isinstance(value, int):
            return str(value)
        if self.minutes and name in TIMES:
            return f"{value // 10}:{value % 10 * 6:02}"
        whole = f"{value // 10:,}".replace(",", self.thousands)
        return f"{whole}{',' if self.decimals == 'comma' else '.'}{value % 10}"

    def rows(self) -> list[list[str]]:
        return [[self.cell(name, one.get(name)) for name in self.order] for one in self.flights]

    def as_csv(self, rows: Sequence[Sequence[str]]) -> bytes:
        out = io.StringIO()
        writer = csv.writer(out, delimiter=self.delimiter, lineterminator=self.line_end)
        if self.title:
            out.write(f"Bluegrass{self.line_end}")
        writer.writerow(self.headers.get(name, name) for name in self.order)
        for row in rows:
            writer.writerow(row)
            if self.blank_lines:
                out.write(self.line_end)
        return out.getvalue().encode(self.encoding)

    def as_workbook(self) -> bytes:
        """Dates are dates, meters numbers, hours and minutes times."""
        book, file = Workbook(), io.BytesIO()
        sheet = book.active
        assert sheet is not None
        sheet.append([self.headers.get(name, name) for name in self.order])
        for one in self.flights:
            sheet.append([self.typed(name, one.get(name)) for name in self.order])
        book.save(file)
        return file.getvalue()

    def typed(self, name: str, value: Any) -> Any:
        if not isinstance(value, int):
            return value
        if self.minutes and name in TIMES:
            return time(value // 10, value % 10 * 6)
        return value / 10

    def read(self, content: bytes) -> FlightsFile[FlightCompleted]:
        minutes: Minutes | None = "tenths" if self.minutes else None
        return read_flights_file(
            content,
            jsonl=False,
            column_map=parse_column_map([f"{theirs}={ours}" for ours, theirs in self.headers.items()]),
            encoding="cp1252" if self.encoding == "cp1252" else None,
            date_format=self.date_format,
            decimals=self.decimals,
            minutes=minutes,
        )


@st.composite
def foreign(draw: st.DrawFn, at_least: int = 0) -> Foreign:
    one = st.sampled_from
    decimals: Decimals | None = draw(one(("point", "comma", None)))
    encoding = draw(one(("utf-8", "utf-8-sig", "cp1252", "utf-16")))
    thousands = [sign for sign in THOUSANDS[decimals] if not (encoding == "cp1252" and sign == "\u202f")]
    return Foreign(
        flights=[flight(draw, number) for number in range(draw(st.integers(at_least, 6)))],
        headers={ours: draw(one(theirs)) for ours, theirs in HEADERS.items()},
        order=draw(st.permutations([*HEADERS, "Bemerkung"])),
        date_format=draw(one(FORMATS)),
        decimals=decimals,
        thousands=draw(one(thousands)),
        minutes=draw(st.booleans()),
        delimiter=draw(one(",;\t|")),
        encoding=encoding,
        line_end=draw(one(("\n", "\r\n"))),
        title=draw(st.booleans()),
        blank_lines=draw(st.booleans()),
    )


def flight(draw: st.DrawFn, number: int) -> Meant:
    out = draw(st.integers(1, 99_990))
    flown = draw(st.integers(1, 99))
    return {
        "flight_id": f"F{number}",
        "date": draw(st.dates(date(2001, 1, 1), date(2030, 12, 31))),
        "aircraft": draw(st.sampled_from(("N364MA", "D-EXYZ"))),
        "student": f"student-{number:02}",
        "instructor": draw(st.sampled_from((None, "instructor-01"))),
        "hobbs_out": out,
        "hobbs_in": out + flown,
        "flight_hours": flown,
        "dual_hours": draw(st.integers(0, 99)),
        "Bemerkung": draw(st.sampled_from(("", "a;b,c\t|", 'said "hm"', "two\nlines", "Müller"))),
    }


def as_meant(found: FlightsFile[FlightCompleted]) -> list[Meant]:
    return [
        {
            name: int(value * 10) if isinstance(value, Decimal) else value
            for name in HEADERS
            for value in [getattr(one, name)]
        }
        for one in found.events()
    ]


def meant(one: Meant) -> Meant:
    return {name: value for name, value in one.items() if name in HEADERS}


@seed(23)
@settings(max_examples=60, database=None)
@given(given_=foreign(), workbook=st.booleans())
def test_a_foreign_file_of_flights_is_read_as_it_means(given_: Foreign, workbook: bool) -> None:
    found = given_.read(given_.as_workbook() if workbook else given_.as_csv(given_.rows()))
    assert found.rejected == []
    assert as_meant(found) == [meant(one) for one in given_.flights]


WRONG: Final[Mapping[Decimals | None, Sequence[str]]] = {
    "point": ("1,3", "1.253,6", "1,25"),
    "comma": ("1.3", "1,253.6"),
    None: ("1,3", "1,253", "1.253,6"),
}
NEVER: Final = (
    "12 5",
    "1\u00a03",
    "--1",
    "+-1",
    "1,2,3",
    "1.2.3",
    "1e1",
    "n/a",
    "#REF!",
    "1:60",
    "1:5",
)


@seed(23)
@settings(max_examples=60, database=None)
@given(data=st.data())
def test_a_cell_that_is_no_hours_or_no_date_of_the_file_is_named(data: st.DataObject) -> None:
    given_ = data.draw(foreign(at_least=1))
    place = data.draw(st.integers(0, len(given_.flights) - 1))
    name = data.draw(st.sampled_from((*METERS, *TIMES, "date")))
    rows = given_.rows()
    if name == "date":
        cell = data.draw(
            st.sampled_from(("31.02.2026", "02/31/2026", "22.5.", "2026-13-01", "May", "20260532"))
        )
    else:
        cell = data.draw(st.sampled_from((*WRONG[given_.decimals], *NEVER)))
    rows[place][given_.order.index(name)] = cell
    found = given_.read(given_.as_csv(rows))
    assert [(one.flight_id, one.sentence.startswith(f"{name}: ")) for one in found.rejected] == [
        (f"F{place}", True)
    ], (cell, found)
    assert as_meant(found) == [meant(one) for n, one in enumerate(given_.flights) if n != place]


@seed(23)
@settings(max_examples=60, database=None)
@given(data=st.data())
def test_no_damaged_file_of_flights_breaks_the_reader(data: st.DataObject) -> None:
    given_ = data.draw(foreign(at_least=1))
    content = bytearray(given_.as_csv(given_.rows()))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(content)))
        if data.draw(st.booleans()):
            del content[at : at + data.draw(st.integers(1, 9))]
        else:
            content[at:at] = data.draw(st.binary(min_size=1, max_size=4))
    with suppress(FileUnreadable):
        given_.read(bytes(content))
