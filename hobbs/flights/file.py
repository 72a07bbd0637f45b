"""Reads flights from a CSV or JSON-lines file: what each line means, or why it cannot be read.

Pure. A row that cannot be read becomes a Rejected with its line number; a file that cannot be read at all (no
header, a missing column, an unknown encoding) raises FileUnreadable. Only the shape is checked here: what the
school's rules refuse, billing refuses.
"""

import codecs
import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from typing import Any, Final

from pydantic import ValidationError

from schemas.flights import FlightCompleted

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
FIELD_CHARS_MAX: Final = 10_000
_DELIMITERS: Final = ",;\t|"
_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


class FileUnreadable(Exception):
    """The file as a whole cannot be read; the message says why and the way out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadFlight:
    """A flight and the line it starts on."""

    line: int
    flight: FlightCompleted


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """A row that was not published, and why."""

    line: int
    flight_id: str
    reason: str
    sentence: str


@dataclass(slots=True, kw_only=True)
class FlightsFile:
    """What a file holds: flights in its order, rejected rows, and notes for the person who reads it."""

    flights: list[ReadFlight] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def read_flights_file(
    content: bytes,
    *,
    jsonl: bool,
    column_map: Mapping[str, str] | None = None,
    encoding: str | None = None,
    date_format: str | None = None,
) -> FlightsFile:
    """Read a whole file. `column_map` names, for a column of the file, the column of ours it stands for."""
    found = FlightsFile()
    text = _decoded(content, encoding, found.notes)
    names = dict(column_map or {})
    rows = _jsonl_rows(text, names, found) if jsonl else _csv_rows(text, names, found)
    for line, row in rows:
        _read_row(line, row, date_format, found)
    _reject_repeats(found)
    found.rejected.sort(key=lambda rejected: rejected.line)
    return found


def parse_column_map(pairs: Sequence[str]) -> dict[str, str]:
    """Read `--map COLUMN=NAME` options: the file's column on the left, ours on the right."""
    mapped: dict[str, str] = {}
    for pair in pairs:
        column, equals, name = (part.strip() for part in pair.rpartition("="))
        if not equals or not column:
            raise FileUnreadable(f"--map {pair!r}: write it as COLUMN=NAME, such as 'Tail number=aircraft'")
        if name not in COLUMNS:
            turned = f" (or did you mean {name}={column}?)" if column in COLUMNS else ""
            raise FileUnreadable(f"--map {pair!r}: {name!r} is none of {', '.join(COLUMNS)}{turned}")
        if column in mapped or name in mapped.values():
            raise FileUnreadable(f"--map {pair!r}: that column or name is mapped twice")
        mapped[column] = name
    return mapped


def _decoded(content: bytes, encoding: str | None, notes: list[str]) -> str:
    """By --encoding, by byte-order mark, as UTF-8, or (saying so) as Windows-1252."""
    marked = next((name for mark, name in _BOMS if content.startswith(mark)), "utf-8")
    if marked == "utf-8" and encoding is None and b"\x00" in content[:4]:
        raise FileUnreadable("the file looks like UTF-16 without its mark; try --encoding utf-16-le")
    try:
        return content.decode(encoding or marked)
    except LookupError:
        raise FileUnreadable(f"there is no encoding called {encoding!r}") from None
    except UnicodeDecodeError as error:
        if encoding or marked != "utf-8":
            name = encoding or marked
            raise FileUnreadable(f"the file is not {name} (byte {error.start}); try --encoding") from None
    try:
        text = content.decode("cp1252")
    except UnicodeDecodeError as error:
        raise FileUnreadable(f"the file is not UTF-8 (byte {error.start}); name its --encoding") from None
    notes.append("the file is not UTF-8: read as Windows-1252; use --encoding when that is wrong")
    return text


def _csv_rows(text: str, names: dict[str, str], found: FlightsFile) -> Iterator[tuple[int, dict[str, Any]]]:
    """Rows by our column names, with the line each starts on; the header is checked first."""
    header: list[str | None] | None = None
    for line, cells in _csv_records(_lines(text), _delimiter_of(text), found):
        if header is None:
            header = _header_of(cells, names, found.notes)
        else:
            named = zip(header, cells, strict=False)
            yield line, {our: cell.strip() for our, cell in named if our and cell.strip()}
    if header is None:
        raise FileUnreadable("the file is empty: it needs a header line with the column names")


def _csv_records(lines: Sequence[str], delimiter: str, found: FlightsFile) -> Iterator[tuple[int, list[str]]]:
    """Whole records with the line each starts on; empty ones are skipped, malformed ones rejected.

    A stray quote opens a field that swallows the lines after it. So a malformed record costs its first line
    only, and reading goes on with the next line.
    """
    csv.field_size_limit(FIELD_CHARS_MAX)
    width = 0  # of the first record, the header
    start, reader = 0, csv.reader(iter(lines), delimiter=delimiter, strict=True)
    while True:
        line = start + reader.line_num + 1
        try:
            cells = next(reader)
            fault = _wrong_count(cells, width)
        except StopIteration:
            return
        except csv.Error as error:
            fault = f"cannot be read as CSV: {error}"
        if fault is None:
            if any(cell.strip() for cell in cells):
                width = width or len(cells)
                yield line, cells
            continue
        if not width:
            raise FileUnreadable(f"line {line}, the header, {fault}")
        found.rejected.append(_rejected(line, "", "malformed", fault))
        start, reader = line, csv.reader(islice(lines, line, None), delimiter=delimiter, strict=True)


def _wrong_count(cells: Sequence[str], width: int) -> str | None:
    """A row may be as long as the header, or longer with empty fields only, or empty; else a sentence."""
    if not width or not any(cell.strip() for cell in cells):
        return None
    if len(cells) >= width and not any(cell.strip() for cell in cells[width:]):
        return None
    return f"has {len(cells)} fields where the header has {width}"


def _lines(text: str) -> list[str]:
    r"""Split at \n, \r\n and lone \r only: other characters that Unicode calls line breaks are data."""
    return list(io.StringIO(text, newline=""))


def _delimiter_of(text: str) -> str:
    first = next((line for line in _lines(text) if line.strip()), "")
    return max(_DELIMITERS, key=first.count)


def _header_of(cells: Sequence[str], names: dict[str, str], notes: list[str]) -> list[str | None]:
    """For each column of the file, ours; None is not read. Raises when a needed column is not there."""
    columns = [cell.strip() for cell in cells]
    absent = sorted(set(names) - set(columns))
    if absent:
        raise FileUnreadable(f"--map names what the file does not have: {', '.join(absent)}; {_has(columns)}")
    taken = set(names.values())
    ours = [names.get(c) or (c if c in COLUMNS and c not in taken else _folded(c, taken)) for c in columns]
    _require_columns(ours, columns)
    ignored = [column for column, our in zip(columns, ours, strict=True) if our is None and column]
    if ignored:
        notes.append(f"columns not read: {', '.join(ignored)}")
    return ours


def _folded(column: str, taken: set[str]) -> str | None:
    """`Flight ID` and `flight-id` are `flight_id`."""
    name = column.lower().replace(" ", "_").replace("-", "_")
    return name if name in COLUMNS and name not in taken else None


def _require_columns(ours: Sequence[str | None], columns: Sequence[str]) -> None:
    there = [our for our in ours if our]
    twice = sorted({name for name in there if there.count(name) > 1})
    if twice:
        raise FileUnreadable(f"two columns are both {', '.join(twice)}; {_has(columns)}")
    missing = [name for name in NEEDED if name not in there]
    if not any(name in there for name in DATE_COLUMNS):
        missing.append(" or ".join(DATE_COLUMNS))
    if missing:
        raise FileUnreadable(
            f"the file has no column for {', '.join(missing)}; {_has(columns)}; "
            "name another column with --map COLUMN=NAME"
        )


def _has(columns: Sequence[str]) -> str:
    return f"it has: {', '.join(columns)}"


def _jsonl_rows(text: str, names: dict[str, str], found: FlightsFile) -> Iterator[tuple[int, dict[str, Any]]]:
    for line, written in enumerate(_lines(text), start=1):
        if not written.strip():
            continue
        try:
            document = json.loads(written, parse_float=str)
        except (ValueError, RecursionError):  # ValueError: also an integer of thousands of digits
            found.rejected.append(_rejected(line, "", "malformed", "is not JSON"))
            continue
        if not isinstance(document, dict):
            found.rejected.append(_rejected(line, "", "malformed", "is not a JSON object"))
            continue
        named = {names.get(key, key): value for key, value in document.items()}
        yield line, {key: value for key, value in named.items() if key in COLUMNS and value not in (None, "")}


def _read_row(line: int, row: Mapping[str, Any], date_format: str | None, found: FlightsFile) -> None:
    flight_id = str(row.get("flight_id", ""))
    try:
        flight = FlightCompleted.model_validate(_event_of(row, date_format))
    except ValidationError as error:
        found.rejected.append(_rejected(line, flight_id, "invalid", _sentence(error)))
    except ValueError as error:
        found.rejected.append(_rejected(line, flight_id, "invalid", str(error)))
    else:
        found.flights.append(ReadFlight(line=line, flight=flight))


def _event_of(row: Mapping[str, Any], date_format: str | None) -> dict[str, Any]:
    """Turn columns into the event's fields: a UTC date and times become instants.

    With a departure time the bill's date follows from the instant and the school's time zone, so the UTC
    date is left out: near midnight it would name another day. An arrival before departure is the next day.
    """
    event = {name: value for name, value in row.items() if name not in ("time_out_utc", "time_in_utc")}
    if isinstance(event.get("revision"), str):
        event["revision"] = _whole(event["revision"])
    day = _date_of(event["date"], date_format) if "date" in event else None
    out = _time_of("time_out_utc", row.get("time_out_utc"))
    back = _time_of("time_in_utc", row.get("time_in_utc"))
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


def _date_of(written: Any, date_format: str | None) -> date:
    try:
        if date_format:
            return datetime.strptime(str(written), date_format).date()  # noqa: DTZ007 - a date has no zone
        return date.fromisoformat(str(written))
    except ValueError:
        wanted = date_format or "YYYY-MM-DD (or name another --date-format)"
        raise ValueError(f"date: {str(written)[:40]!r} is not {wanted}") from None


def _time_of(name: str, written: Any) -> time | None:
    if written is None:
        return None
    try:
        read = time.fromisoformat(str(written).zfill(5))
    except ValueError:
        raise ValueError(f"{name}: {str(written)[:40]!r} is not a time such as 17:23") from None
    if read.utcoffset():
        raise ValueError(f"{name}: {str(written)[:40]!r} is not in UTC")
    return read.replace(tzinfo=None)


def _reject_repeats(found: FlightsFile) -> None:
    """Keep the first of each flight and revision; say of the others whether they differ."""
    first: dict[tuple[str, int], ReadFlight] = {}
    kept: list[ReadFlight] = []
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


def _sentence(error: ValidationError) -> str:
    problems = error.errors(include_url=False, include_context=False, include_input=False)
    return "; ".join(f"{'.'.join(map(str, p['loc'])) or 'flight'}: {p['msg']}" for p in problems)
