"""Reads exports of other programs as they are: their columns, their dates, their hours. Pure.

Each export's header was read in a file of that program's, or in code that reads one; what a column says
that is not mapped (local times, routes, landings) is left out and said. A logbook has no ids of flights: a
row's is made of date, aircraft, student and its number among those of that day.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from hobbs.flights import csv_text, workbook
from hobbs.flights.cells import Decimals, Minutes
from hobbs.flights.file import COLUMNS, FlightsFile, Shape, read_file
from hobbs.flights.people import People
from hobbs.flights.unreadable import FileUnreadable
from schemas.flights import FlightCompleted


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """One program's export: its columns and ours. Its table begins at the line that has all of `header`."""

    program: str
    header: tuple[str, ...]
    columns: Mapping[str, str]
    date_format: str | None = None
    decimals: Decimals | None = None
    minutes: Minutes | None = "tenths"


EXPORTS: Final[Mapping[str, Export]] = {
    "foreflight": Export(
        program="ForeFlight Logbook",
        header=("Date", "AircraftID", "TotalTime"),
        columns={
            "Date": "date",
            "AircraftID": "aircraft",
            "TotalTime": "flight_hours",
            "HobbsStart": "hobbs_out",
            "HobbsEnd": "hobbs_in",
            "TachStart": "tach_out",
            "TachEnd": "tach_in",
            "DualReceived": "dual_hours",
            "GroundTraining": "ground_hours",
            "InstructorName": "instructor",
        },
    ),
    "myflightbook": Export(
        program="MyFlightbook",
        header=("Date", "Tail Number", "Total Flight Time"),
        columns={
            "Date": "date",
            "Flight ID": "flight_id",
            "Tail Number": "aircraft",
            "Total Flight Time": "flight_hours",
            "Hobbs Start": "hobbs_out",
            "Hobbs End": "hobbs_in",
            "Dual Received": "dual_hours",
            "CFI Name": "instructor",
        },
    ),
    "logten": Export(
        program="LogTen Pro, dynamic export",
        header=("Date", "Aircraft ID", "Total Time"),
        columns={
            "Date": "date",
            "Aircraft ID": "aircraft",
            "Total Time": "flight_hours",
            "Dual Rcvd": "dual_hours",
            "Ground": "ground_hours",
            "Student": "student",
            "Instructor": "instructor",
        },
    ),
    "flylog": Export(
        program="FLYLOG.io",
        header=("DATE", "AIRCRAFT_REGISTRATION", "DURATION_BLOCK"),
        columns={
            "DATE": "date",
            "AIRCRAFT_REGISTRATION": "aircraft",
            "DURATION_BLOCK": "flight_hours",
            "DURATION_DUAL": "dual_hours",
            "NAME_STUDENT": "student",
            "NAME_INSTRUCTOR": "instructor",
        },
    ),
    "logbook-pro": Export(
        program="Logbook Pro",
        header=("DATE", "AIRCRAFT IDENT", "DURATION"),
        columns={
            "DATE": "date",
            "AIRCRAFT IDENT": "aircraft",
            "DURATION": "flight_hours",
            "DUAL": "dual_hours",
            "INSTRUCTOR": "instructor",
        },
    ),
}
# Dates of these are written as the person's settings are: what stands first is told, never guessed.
DATES_VARY: Final = ("myflightbook", "logten", "flylog", "logbook-pro")


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What an export does not say itself. student: of every row that names none. people: ids by names."""

    student: str | None = None
    people: People = field(default_factory=People)
    date_format: str | None = None
    decimals: Decimals | None = None
    encoding: str | None = None
    sheet: str | None = None


def read_export(content: bytes, name: str, told: Told) -> FlightsFile[FlightCompleted]:
    """Read an export's flights. Raises FileUnreadable, also when it is not that program's."""
    if (export := EXPORTS.get(name)) is None:
        raise FileUnreadable(f"{name!r} is none of the exports that are known: {', '.join(EXPORTS)}")
    if name in DATES_VARY and told.date_format is None:
        raise FileUnreadable(
            f"{export.program} writes dates as its owner's settings are: say --date-format, such as "
            "%Y-%m-%d, %d.%m.%Y (day first) or %m/%d/%Y"
        )
    notes: list[str] = []
    before, table, there = _table(content, export, told.encoding, notes)
    found = read_file(
        table,
        _shape(export, told),
        jsonl=False,
        column_map={column: our for column, our in export.columns.items() if column in there},
        date_format=told.date_format or export.date_format,
        decimals=told.decimals or export.decimals,
        minutes=export.minutes,
        sheet=told.sheet,
    )
    found.flights = [replace(one, line=one.line + before) for one in found.flights]
    found.rejected = [replace(one, line=one.line + before) for one in found.rejected]
    found.notes[:0] = [*notes, f"read as an export of {export.program}"]
    return found


def _table(
    content: bytes, export: Export, encoding: str | None, notes: list[str]
) -> tuple[int, bytes, set[str]]:
    """How many lines stand before the header, the file from there on as UTF-8, and the header's columns."""
    if workbook.is_workbook(content):
        raise FileUnreadable(f"an export of {export.program} is a text; save the workbook as CSV")
    lines = csv_text.lines_of(csv_text.decoded(content, encoding, notes))
    for number, line in enumerate(lines):
        delimiter = csv_text.sniffed_delimiter([line], lambda cell: cell in export.columns)
        cells = {cell.strip().strip('"') for cell in line.split(delimiter)}
        if set(export.header) <= cells:
            return number, _without_edge("".join(lines[number:]), delimiter).encode(), cells
    raise FileUnreadable(
        f"it is no export of {export.program}: no line has the columns {', '.join(export.header)}"
    )


def _without_edge(table: str, delimiter: str) -> str:
    """Lines without an empty last column, which one program writes in some of them only."""
    if not table.partition("\n")[0].rstrip().endswith(delimiter) or delimiter not in "\t":
        return table
    return "".join(f"{line.removesuffix(delimiter)}\n" for line in table.splitlines())


def _shape(export: Export, told: Told) -> Shape[FlightCompleted]:
    return Shape(columns=COLUMNS, needed=("aircraft",), dated=True, read=_reader(export, told))


def _reader(export: Export, told: Told) -> Callable[[dict[str, Any]], FlightCompleted]:
    numbers: Counter[tuple[str, str, str]] = Counter()

    def read(event: dict[str, Any]) -> FlightCompleted:
        for role in ("student", "instructor"):
            if named := str(event.get(role, "")):
                event[role] = told.people.id_of(named)
        event["student"] = event.get("student") or told.student
        if not event["student"]:
            raise ValueError("student: the row names none; say whose logbook it is with --student ID")
        if not event.get("flight_id"):
            day = (str(event["date"]), str(event.get("aircraft", "ground")), str(event["student"]))
            numbers[day] += 1
            event["flight_id"] = "-".join([*day, str(numbers[day])])
        return FlightCompleted.model_validate(event)

    return read
