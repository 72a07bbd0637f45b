"""Reads flights from a CSV file, a workbook or JSON lines: what each line means, or why it cannot be read.

Pure. A row that cannot be read becomes a Rejected with its line number; a file that cannot be read at all (no
header, a missing column, an unknown encoding) raises FileUnreadable. Only the shape is checked here: what the
school's rules refuse, billing refuses.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Generic, NamedTuple, TypeVar

from pydantic import ValidationError

from hobbs.flights import cells as cell
from hobbs.flights import csv_text, workbook
from hobbs.flights.column_maps import column_map
from hobbs.flights.people import People
from hobbs.flights.unreadable import FileUnreadable
from schemas.flights import FlightCancelled, FlightCompleted

# The columns of a flights file and the field of the event each becomes; times are UTC.
COLUMNS: Final = (
    "flight_id",
    "revision",
    "date",
    "time_out_utc",
    "time_in_utc",
    "departed_at",
    "arrived_at",
    "aircraft",
    "student",
    "instructor",
    "hobbs_out",
    "hobbs_in",
    "tach_out",
    "tach_in",
    "flight_hours",
    "dual_hours",
    "ground_hours",
)
NEEDED: Final = ("flight_id", "student")
DATE_COLUMNS: Final = ("date", "departed_at")
SHOWN_CHARS: Final = 40


FlightEvent = FlightCompleted | FlightCancelled  # a correction is a completed flight with a reason
E = TypeVar("E", bound=FlightEvent, covariant=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape(Generic[E]):
    """What the rows of a file are: the columns they may have and must have, and the event each becomes.

    dated: one of DATE_COLUMNS must be there. read: may raise ValueError with a sentence about the row.
    """

    columns: tuple[str, ...]
    needed: tuple[str, ...]
    dated: bool
    read: Callable[[dict[str, Any]], E]


FLIGHTS: Final[Shape[FlightCompleted]] = Shape(
    columns=COLUMNS, needed=NEEDED, dated=True, read=lambda event: FlightCompleted.model_validate(event)
)


class _Cells(NamedTuple):
    """How cells are written; None: as ours are."""

    date_format: str | None
    decimals: cell.Decimals | None
    minutes: cell.Minutes | None
    people: People


# Where a row starts, what it says by our column names, and all that is written in it.
Row = tuple[int, dict[str, Any], Sequence[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadFlight(Generic[E]):
    """A flight and the line it starts on."""

    line: int
    flight: E


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """A row that was not published, and why."""

    line: int
    flight_id: str
    reason: str
    sentence: str


@dataclass(slots=True, kw_only=True)
class FlightsFile(Generic[E]):
    """What a file holds: flights in its order, rejected rows, and notes for the person who reads it."""

    flights: list[ReadFlight[E]] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def events(self) -> list[E]:
        """The flights alone."""
        return [read.flight for read in self.flights]


def read_flights_file(content: bytes, *, jsonl: bool, **options: Any) -> FlightsFile[FlightCompleted]:
    """Read a whole file of completed flights; `options`: those of `read_file`."""
    return read_file(content, FLIGHTS, jsonl=jsonl, **options)


def read_file(
    content: bytes,
    shape: Shape[E],
    *,
    jsonl: bool,
    column_map: Mapping[str, str] | None = None,
    encoding: str | None = None,
    date_format: str | None = None,
    decimals: cell.Decimals | None = None,
    minutes: cell.Minutes | None = None,
    sheet: str | None = None,
    people: People | None = None,
) -> FlightsFile[E]:
    """Read a whole file. `column_map` names, for a column of the file, the column of ours it stands for.

    decimals: what stands before the tenths of an hour; None: a point, and a comma is refused by name.
    minutes: what becomes of 1:18; None: it is refused by name.
    """
    found: FlightsFile[E] = FlightsFile()
    names = dict(column_map or {})
    if workbook.is_workbook(content):
        below = csv_text.below_titles(
            workbook.workbook_rows(content, sheet, found.notes), lambda cells: _is_header(cells, names, shape)
        )
        rows = _table_rows(below, names, shape, found)
    elif sheet is not None:
        raise FileUnreadable("--sheet is for a workbook (.xlsx), which this is not")
    else:
        text = csv_text.decoded(content, encoding, found.notes)
        rows_of = _jsonl_rows if jsonl else _csv_rows
        rows = rows_of(text, names, shape, found)
    for line, row, written in rows:
        _read_row(
            line, row, written, _Cells(date_format, decimals, minutes, people or People()), shape, found
        )
    _reject_repeats(found)
    found.rejected.sort(key=lambda rejected: rejected.line)
    return found


def parse_column_map(pairs: Sequence[str], shape: Shape[Any] = FLIGHTS) -> dict[str, str]:
    """Read `--map COLUMN=NAME` options: the file's column on the left, ours on the right."""
    return column_map(pairs, shape.columns)


def _csv_rows(text: str, names: dict[str, str], shape: Shape[Any], found: FlightsFile[Any]) -> Iterator[Row]:
    lines, taken = csv_text.lines_of(text), set(names.values())
    begin, delimiter = csv_text.table_place(
        lines,
        lambda cells: _is_header(cells, names, shape),
        lambda cell: cell in names or bool(_folded(cell, taken, shape)),
    )

    def malformed(line: int, written: Sequence[str], fault: str) -> None:
        label = cell.totals_label(written, {})
        found.rejected.append(_totals(line, label) if label else _rejected(line, "", "malformed", fault))

    return _table_rows(csv_text.csv_records(lines, begin, delimiter, malformed), names, shape, found)


def _table_rows(
    records: Iterator[tuple[int, list[str]]],
    names: dict[str, str],
    shape: Shape[Any],
    found: FlightsFile[Any],
) -> Iterator[Row]:
    """Rows by our column names, with the line each starts on; the header is checked first."""
    header: list[str | None] | None = None
    for line, written in records:
        if header is None:
            header = _header_of(written, names, shape, found.notes)
        else:
            named = zip(header, written, strict=False)
            yield line, {our: _stripped(c) for our, c in named if our and c.strip()}, written
    if header is None:
        raise FileUnreadable("the file is empty: it needs a header line with the column names")


def _stripped(written: str) -> str:
    return written if isinstance(written, workbook.Number) else written.strip()


def _header_of(
    cells: Sequence[str], names: dict[str, str], shape: Shape[Any], notes: list[str]
) -> list[str | None]:
    """For each column of the file, ours; None is not read. Raises when a needed column is not there."""
    columns = [cell.strip() for cell in cells]
    absent = sorted(set(names) - set(columns))
    if absent:
        raise FileUnreadable(f"--map names what the file does not have: {', '.join(absent)}; {_has(columns)}")
    ours = _ours(columns, names, shape)
    _require_columns(ours, columns, shape)
    ignored = [column for column, our in zip(columns, ours, strict=True) if our is None and column]
    if ignored:
        notes.append(f"columns not read: {', '.join(ignored)}")
    return ours


def _ours(columns: Sequence[str], names: dict[str, str], shape: Shape[Any]) -> list[str | None]:
    taken = set(names.values())
    return [
        names.get(c) or (c if c in shape.columns and c not in taken else _folded(c, taken, shape))
        for c in columns
    ]


def _is_header(cells: Sequence[str], names: dict[str, str], shape: Shape[Any]) -> bool:
    """Whether it has what is needed: a title above the header has not."""
    columns = [cell.strip() for cell in cells]
    if not set(names) <= set(columns):
        return False
    try:
        _require_columns(_ours(columns, names, shape), columns, shape)
    except FileUnreadable:
        return False
    return True


def _folded(column: str, taken: set[str], shape: Shape[Any]) -> str | None:
    """`Flight ID` and `flight-id` are `flight_id`."""
    name = column.lower().replace(" ", "_").replace("-", "_")
    return name if name in shape.columns and name not in taken else None


def _require_columns(ours: Sequence[str | None], columns: Sequence[str], shape: Shape[Any]) -> None:
    there = [our for our in ours if our]
    twice = sorted({name for name in there if there.count(name) > 1})
    if twice:
        raise FileUnreadable(f"two columns are both {', '.join(twice)}; {_has(columns)}")
    missing = [name for name in shape.needed if name not in there]
    if shape.dated and not any(name in there for name in DATE_COLUMNS):
        missing.append(" or ".join(DATE_COLUMNS))
    if missing:
        raise FileUnreadable(
            f"the file has no column for {', '.join(missing)}; {_has(columns)}; "
            "name another column with --map COLUMN=NAME"
        )


def _has(columns: Sequence[str]) -> str:
    return f"it has: {', '.join(columns)}"


def _jsonl_rows(
    text: str, names: dict[str, str], shape: Shape[Any], found: FlightsFile[Any]
) -> Iterator[Row]:
    for line, written in enumerate(csv_text.lines_of(text), start=1):
        if not written.strip():
            continue
        begins = f"; it begins {written.strip()[:SHOWN_CHARS]!r}"
        try:
            document = json.loads(written, parse_float=workbook.Number)
        except (ValueError, RecursionError):  # ValueError: also an integer of thousands of digits
            found.rejected.append(_rejected(line, "", "malformed", f"is not JSON{begins}"))
            continue
        if not isinstance(document, dict):
            found.rejected.append(_rejected(line, "", "malformed", f"is not a JSON object{begins}"))
            continue
        named = {names.get(key, key): value for key, value in document.items()}
        row = {key: value for key, value in named.items() if key in shape.columns and value not in (None, "")}
        yield line, row, [value for value in document.values() if isinstance(value, str)]


def _read_row(
    line: int,
    row: Mapping[str, Any],
    written: Sequence[str],
    cells: _Cells,
    shape: Shape[Any],
    found: FlightsFile[Any],
) -> None:
    if label := cell.totals_label(written, row):
        found.rejected.append(_totals(line, label))
        return
    flight_id = str(row.get("flight_id", ""))
    try:
        flight = shape.read(_event_of(row, cells))
    except ValidationError as error:
        found.rejected.append(_rejected(line, flight_id, "invalid", _sentence(error, row)))
    except ValueError as error:
        found.rejected.append(_rejected(line, flight_id, "invalid", str(error)))
    else:
        found.flights.append(ReadFlight(line=line, flight=flight))


def _event_of(row: Mapping[str, Any], cells: _Cells) -> dict[str, Any]:
    """Turn columns into the event's fields: a UTC date and times become instants.

    With a departure time the bill's date follows from the instant and the school's time zone, so the UTC
    date is left out: near midnight it would name another day. An arrival before departure is the next day.
    """
    event = {name: value for name, value in row.items() if name not in ("time_out_utc", "time_in_utc")}
    for name in event.keys() & {"student", "instructor"}:
        if isinstance(event[name], str):
            event[name] = cells.people.id_of(event[name])
    for name in event.keys() & set(cell.HOURS):
        event[name] = cell.hours(name, event[name], cells.decimals, cells.minutes)
    if isinstance(event.get("revision"), str):
        event["revision"] = _whole(event["revision"])
    day = cell.day(event["date"], cells.date_format) if "date" in event else None
    out = cell.clock("time_out_utc", row.get("time_out_utc"))
    back = cell.clock("time_in_utc", row.get("time_in_utc"))
    if day is None:
        return event
    event["date"] = day
    if out is not None:
        event.setdefault("departed_at", datetime.combine(day, out, UTC))
    if back is not None:
        overnight = timedelta(days=1 if out is not None and back < out else 0)
        event.setdefault("arrived_at", datetime.combine(day, back, UTC) + overnight)
    if "departed_at" in event:
        del event["date"]
    return event


def _whole(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise ValueError(f"revision: {text[:20]!r} is not a whole number")
    return int(text)


def _reject_repeats(found: FlightsFile[Any]) -> None:
    """Keep the first of each flight and revision; say of the others whether they differ."""
    first: dict[tuple[str, int], ReadFlight[Any]] = {}
    kept: list[ReadFlight[Any]] = []
    for read in found.flights:
        before = first.setdefault((read.flight.flight_id, read.flight.revision), read)
        if before is read:
            kept.append(read)
            continue
        same = before.flight == read.flight
        reason, says = ("repeated", "says the same as") if same else ("contradicts", "contradicts")
        sentence = f"flight {read.flight.flight_id} {says} line {before.line}"
        found.rejected.append(_rejected(read.line, read.flight.flight_id, reason, sentence))
    found.flights = kept


def _rejected(line: int, flight_id: str, reason: str, sentence: str) -> Rejected:
    return Rejected(line=line, flight_id=flight_id, reason=reason, sentence=sentence)


def _totals(line: int, label: str) -> Rejected:
    return _rejected(line, "", "totals", f"is a row of totals ({label[:SHOWN_CHARS]!r}), not a flight")


def _sentence(error: ValidationError, row: Mapping[str, Any]) -> str:
    """Each problem with the field and the value that the file has there."""
    problems = error.errors(include_url=False, include_context=False, include_input=False)
    said = []
    for problem in problems:
        field = ".".join(map(str, problem["loc"]))
        value = f" {str(row[field])[:SHOWN_CHARS]!r}:" if field in row else ""
        said.append(f"{field or 'flight'}:{value} {problem['msg']}")
    return "; ".join(said)
