"""A flights file is read whole: every line becomes a flight or a rejected row with its number."""

import io
import zipfile
from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook

from hobbs.flights.file import FlightsFile, parse_column_map, read_flights_file
from hobbs.flights.people import People
from hobbs.flights.unreadable import FileUnreadable
from schemas.flights import FlightCompleted

HEADER = (
    "flight_id,date,time_out_utc,time_in_utc,aircraft,student,instructor,"
    "hobbs_out,hobbs_in,tach_out,tach_in,flight_hours,dual_hours,ground_hours\n"
)
ROW = "F1,2026-05-22,17:23,18:23,N1,student-01,instructor-01,1253.6,1254.9,,,1.3,1.5,0.5\n"
SMALL = "flight_id,date,student\n"


def read(text: str | bytes, **options: object) -> FlightsFile[FlightCompleted]:
    content = text if isinstance(text, bytes) else text.encode()
    return read_flights_file(content, **{"jsonl": False, **options})  # type: ignore[arg-type]


def rejected_of(found: FlightsFile[FlightCompleted]) -> list[tuple[int, str]]:
    return [(row.line, row.reason) for row in found.rejected]


def test_a_row_becomes_the_flight_it_describes() -> None:
    (read_flight,) = read(HEADER + ROW).flights
    flight = read_flight.flight
    assert (read_flight.line, flight.flight_id, flight.revision) == (2, "F1", 1)
    assert flight.departed_at == datetime(2026, 5, 22, 17, 23, tzinfo=UTC)
    assert flight.arrived_at == datetime(2026, 5, 22, 18, 23, tzinfo=UTC)
    assert (flight.hobbs_out, flight.hobbs_in) == (Decimal("1253.6"), Decimal("1254.9"))
    assert (flight.tach_out, flight.dual_hours) == (None, Decimal("1.5"))


def test_the_utc_date_is_left_out_when_the_instant_is_known() -> None:
    (with_time,) = read(HEADER + ROW).flights
    (without,) = read(SMALL + "F1,2026-05-22,student-01\n").flights
    assert with_time.flight.date is None
    assert without.flight.date == date(2026, 5, 22)


def test_a_flight_over_midnight_lands_the_next_day() -> None:
    (flight,) = read(HEADER + ROW.replace("17:23,18:23", "23:30,0:45")).flights
    assert flight.flight.arrived_at == datetime(2026, 5, 23, 0, 45, tzinfo=UTC)


@pytest.mark.parametrize(
    "content",
    [
        (HEADER + ROW).encode("utf-8-sig"),
        (HEADER + ROW).encode("utf-16"),
        (HEADER + ROW).replace("\n", "\r\n").encode(),
        (HEADER + ROW).replace("\n", "\r").encode(),
        ("\n\n" + HEADER + "\n,,\n \n" + ROW + "\n\n").encode(),
        (HEADER + ROW).replace(",", ";").encode(),
        (HEADER + ROW).replace(",", "\t").encode(),
        (HEADER + ROW.replace("student-01", '"student-01"')).encode(),
        (HEADER + ROW.strip()).encode(),
        (HEADER + ROW.strip() + ",,,\n").encode(),
        (HEADER.replace("flight_id", "Flight ID") + ROW).encode(),
    ],
    ids=[
        "bom",
        "utf16",
        "crlf",
        "cr",
        "blank-lines",
        "semicolons",
        "tabs",
        "quoted",
        "no-last-newline",
        "trailing-commas",
        "folded",
    ],
)
def test_every_usual_way_to_write_the_file_reads_the_same(content: bytes) -> None:
    found = read(content)
    assert not found.rejected
    assert [f.flight for f in found.flights] == [f.flight for f in read(HEADER + ROW).flights]


def test_an_old_windows_file_is_read_and_said_so() -> None:
    found = read((SMALL + "F1,2026-05-22,Zoë\n").encode("cp1252"))
    assert found.flights[0].flight.student == "Zoë"
    assert "Windows-1252" in found.notes[0]


@pytest.mark.parametrize(
    ("content", "options", "says"),
    [
        (b"", {}, "empty"),
        (b"\n\n", {}, "empty"),
        (b"flight_id,student\nF1,s\n", {}, "no column for date or departed_at"),
        (b"date,aircraft\n", {}, "no column for flight_id, student"),
        (b"flight_id,Flight ID,student,date\n", {}, "two columns"),
        (b"\x81\n", {}, "not UTF-8"),
        (b"abc", {"encoding": "klingon"}, "klingon"),
        (b"\xff\xff", {"encoding": "ascii"}, "not ascii"),
        (SMALL.encode(), {"column_map": {"Pilot": "student"}}, "Pilot"),
        (b'"a"b,c\n', {}, "header"),
    ],
)
def test_a_file_that_cannot_be_read_says_the_way_out(
    content: bytes, options: dict[str, object], says: str
) -> None:
    with pytest.raises(FileUnreadable, match=says):
        read(content, **options)


def test_malformed_rows_are_rejected_by_line_and_the_rest_is_read() -> None:
    lines = [
        "F1,2026-05-22,s\n",  # 2
        "F2,2026-05-22\n",  # 3: a field short
        "F3,22.05.2026,s\n",  # 4: no ISO date
        "F4,2026-05-22,s,more\n",  # 5: a field more
        ",2026-05-22,s\n",  # 6: nobody's flight
        'F6,2026-05-22,"multi\nline"\n',  # 7 and 8: an identifier may not hold a line break
        "F7,2026-05-22,s\n",  # 9
    ]
    found = read(SMALL + "".join(lines))
    assert [f.line for f in found.flights] == [2, 9]
    assert [line for line, _ in rejected_of(found)] == [3, 4, 5, 6, 7]


@pytest.mark.parametrize("stray", ['"F2,2026-05-22,s\n', '"F2"x,2026-05-22,s\n', 'F2,"2026-05-22,s\n'])
def test_a_stray_quote_costs_its_own_line_only(stray: str) -> None:
    many = "".join(f"G{n},2026-05-22,s\n" for n in range(600))
    found = read(SMALL + "F1,2026-05-22,s\n" + stray + many)
    assert rejected_of(found) == [(3, "malformed")]
    assert len(found.flights) == 601


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("hobbs_in", "12,5"),
        ("hobbs_in", "NaN"),
        ("flight_hours", "about one"),
        ("date", "2026-02-30"),
        ("date", "0001-01-01"),
        ("time_out_utc", "25:00"),
        ("time_out_utc", "17:23+02:00"),
        ("revision", "1.5"),
        ("revision", "0"),
        ("revision", "9" * 30),
        ("student", "a\x00b"),
        ("student", "x" * 101),
    ],
)
def test_a_value_that_cannot_be_read_rejects_its_row_by_name(column: str, value: str) -> None:
    row = {"flight_id": "F1", "date": "2026-05-22", "student": "s", column: value}
    found = read(",".join(row) + "\n" + ",".join(f'"{cell}"' for cell in row.values()) + "\n")
    named = {"time_out_utc": "time_out_utc", "student": "student"}.get(column, column)
    assert rejected_of(found) == [(2, "invalid")]
    assert named in found.rejected[0].sentence
    assert found.rejected[0].flight_id == "F1"


def test_the_first_of_two_rows_for_a_flight_counts_and_the_other_is_reported() -> None:
    rows = "F1,2026-05-22,s\nF1,2026-05-22,s\nF1,2026-05-23,s\nF2,2026-05-22,s\n"
    found = read(SMALL + rows)
    assert [f.line for f in found.flights] == [2, 5]
    assert rejected_of(found) == [(3, "repeated"), (4, "contradicts")]


def test_revisions_of_a_flight_are_not_repeats() -> None:
    found = read("flight_id,revision,date,student\nF1,1,2026-05-22,s\nF1,2,2026-05-23,s\n")
    assert [f.flight.revision for f in found.flights] == [1, 2]


def test_columns_of_another_name_are_mapped_and_others_left() -> None:
    text = "No.,Day,Pilot,student,Remarks\n7,05/22/2026,anna,nobody,fine\n"
    mapped = parse_column_map(["No.=flight_id", "Day=date", "Pilot=student"])
    found = read(text, column_map=mapped, date_format="%m/%d/%Y")
    (flight,) = found.flights
    assert (flight.flight.flight_id, flight.flight.student) == ("7", "anna")
    assert flight.flight.date == date(2026, 5, 22)
    assert found.notes == ["columns not read: student, Remarks"]


def test_what_stands_above_the_header_is_passed_over() -> None:
    titled = ("Flugbuch;;\nbis 31.05.2026;;\n\n" + "Nr;Tag;Schüler\n4711;22.05.2026;Ida Example\n").encode()
    found = read_flights_file(
        titled,
        jsonl=False,
        column_map=parse_column_map(["Nr=flight_id", "Tag=date", "Schüler=student"]),
        date_format="%d.%m.%Y",
        people=People({"ida example": "student-01"}),
    )
    assert [(one.line, one.flight.flight_id, one.flight.student) for one in found.flights] == [
        (5, "4711", "student-01")
    ]


@pytest.mark.parametrize("pair", ["aircraft", "=aircraft", "Tail=", "aircraft=Tail", "Tail=tail"])
def test_a_wrong_map_is_explained(pair: str) -> None:
    with pytest.raises(FileUnreadable, match="--map"):
        parse_column_map([pair])


def test_two_columns_cannot_be_mapped_to_one() -> None:
    with pytest.raises(FileUnreadable, match="twice"):
        parse_column_map(["A=aircraft", "B=aircraft"])


def test_json_lines_take_the_same_names_or_the_events_own() -> None:
    lines = (
        '{"flight_id": "F1", "date": "2026-05-22", "time_out_utc": "17:23", "student": "s", '
        '"hobbs_in": 1254.9}\n'
        "\n"
        '{"flight_id": "F2", "departed_at": "2026-05-22T17:23:00Z", "student": "s", "note": "x"}\r\n'
        '{"flight_id": "F3"\n'
        "[]\n"
        '{"flight_id": 4, "student": "s", "date": "2026-05-22"}\n' + '{"revision": ' + "9" * 5000 + "}\n"
    )
    found = read(lines, jsonl=True)
    assert [(f.line, f.flight.flight_id) for f in found.flights] == [(1, "F1"), (3, "F2")]
    assert found.flights[0].flight.hobbs_in == Decimal("1254.9")
    assert found.flights[0].flight.departed_at == found.flights[1].flight.departed_at
    assert [line for line, _ in rejected_of(found)] == [4, 5, 6, 7]


@given(st.binary(max_size=400), st.booleans())
def test_no_file_raises_anything_else(content: bytes, jsonl: bool) -> None:
    try:
        found = read_flights_file(SMALL.encode() + content, jsonl=jsonl)
    except FileUnreadable:
        found = FlightsFile()
    assert len({row.line for row in found.rejected}) == len(found.rejected)


def workbook(rows: Sequence[Sequence[object]], title: str = "Log") -> bytes:
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.title = title
    for row in rows:
        sheet.append(list(row))
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


COLUMNS = ["flight_id", "date", "time_out_utc", "student", "hobbs_out", "hobbs_in", "flight_hours"]


def test_a_workbook_is_read_by_its_cells() -> None:
    row = ["F1", date(2026, 5, 22), time(17, 23), "s", 1253.6, 1254.9, 1254.9 - 1253.6]
    found = read(workbook([[], COLUMNS, row, ["Total", None, None, None, None, None, 1.3]]))
    (flight,) = found.flights
    assert (flight.line, flight.flight.departed_at) == (3, datetime(2026, 5, 22, 17, 23, tzinfo=UTC))
    assert (flight.flight.hobbs_out, flight.flight.flight_hours) == (Decimal("1253.6"), Decimal("1.3"))
    assert rejected_of(found) == [(4, "totals")]


def test_a_sheet_is_chosen_by_name() -> None:
    content = workbook([COLUMNS])
    with pytest.raises(FileUnreadable, match="no sheet 'Other'; it has: Log"):
        read(content, sheet="Other")
    with pytest.raises(FileUnreadable, match="--sheet is for a workbook"):
        read(SMALL, sheet="Log")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), ".xls"),
        (b"%PDF-1.7", "a PDF"),
        (b"\x1f\x8b\x08", "gzip"),
        (b"<html><table>", "a web page"),
        (b"PK\x03\x04rubbish", "damaged"),
        (workbook([COLUMNS])[:-30], "damaged"),
        (bytes(range(1, 256)) * 4, "no text|not UTF-8"),
    ],
)
def test_a_file_of_another_kind_is_named(content: bytes, says: str) -> None:
    with pytest.raises(FileUnreadable, match=says):
        read(content)


@pytest.mark.parametrize(
    ("part", "says"),
    [("content.xml", ".ods"), ("Index/Document.iwa", ".numbers"), ("a.csv", "a zip archive")],
)
def test_an_archive_is_named(part: str, says: str) -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr(part, "x")
    with pytest.raises(FileUnreadable, match=says):
        read(content.getvalue())


@pytest.mark.parametrize(
    "text",
    [
        'flight_id;"date, UTC, of the flight, as flown";student;date\nF1;x;s;2026-05-22\n',
        "sep=;\nflight_id;date;student\nF1;2026-05-22;s\n",
        '"sep=|"\r\nflight_id|date|student\r\nF1|2026-05-22|s\r\n',
    ],
)
def test_the_delimiter_is_told_or_found_outside_quotes(text: str) -> None:
    (flight,) = read(text).flights
    assert (flight.flight.flight_id, flight.line) == ("F1", text.count("\n"))


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\r\r\n", "\n\r"])
def test_lines_are_counted_as_they_are_seen_whatever_ends_them(end: str) -> None:
    lines = ["flight_id,date,student,instructor", 'F1,2026-05-22,s,"a', 'b"', "", "F2,soon,s,"]
    assert rejected_of(read(end.join(lines) + end)) == [(2, "invalid"), (5, "invalid")]


@pytest.mark.parametrize(
    ("written", "decimals", "expected"),
    [
        ("1253,6", "comma", "1253.6"),
        ("1.253,6", "comma", "1253.6"),
        ("1253", "comma", "1253"),
        ("1,253.6", None, "1253.6"),
        ("1,253", "point", "1253"),
    ],
)
def test_hours_are_read_by_their_decimals(written: str, decimals: str | None, expected: str) -> None:
    found = read(f'flight_id;date;student;hobbs_in\nF1;2026-05-22;s;"{written}"\n', decimals=decimals)
    assert [f.flight.hobbs_in for f in found.flights] == [Decimal(expected)]


@pytest.mark.parametrize(
    ("written", "decimals", "says"),
    [
        ("1253,6", None, "'1253,6' has a decimal comma; read the file with --decimals comma"),
        ("1,253", None, "may mean 1253 or 1.253"),
        ("1.253", "comma", "'1.253' is not a number with a decimal comma"),
        ("12,5", "point", "'12,5' is not a number"),
    ],
)
def test_hours_that_may_mean_two_numbers_are_refused(written: str, decimals: str | None, says: str) -> None:
    found = read(f'flight_id;date;student;hobbs_in\nF1;2026-05-22;s;"{written}"\n', decimals=decimals)
    assert says in found.rejected[0].sentence


@pytest.mark.parametrize(
    "written",
    ["17:23", "17:23:00", "17.23", "1723", "5:23 PM", "05:23:00 pm", "17:23Z", "17h23", "17:23 UTC"],
)
def test_a_time_is_read_as_it_is_usually_written(written: str) -> None:
    (flight,) = read(HEADER + ROW.replace("17:23", written)).flights
    assert flight.flight.departed_at == datetime(2026, 5, 22, 17, 23, tzinfo=UTC)


@pytest.mark.parametrize("written", ["25:00", "13:00 PM", "17:23+02:00", "noon"])
def test_another_time_is_refused_with_its_value(written: str) -> None:
    found = read(HEADER + ROW.replace("17:23", written))
    assert repr(written) in found.rejected[0].sentence


@pytest.mark.parametrize(
    "row", ["Total,,,12.3", "TOTALS:,,,12.3", ",,Grand Total,12.3", ",,,12.3", "Total,12.3"]
)
def test_a_row_of_totals_is_named(row: str) -> None:
    found = read("flight_id,date,student,flight_hours\nF1,2026-05-22,s,12.3\n" + row + "\n")
    assert rejected_of(found) == [(3, "totals")]


def test_a_refusal_shows_the_value() -> None:
    found = read(SMALL.strip() + ",hobbs_in\nF1,2026-05-22,s,12h\nF2,2026-05-22\n")
    assert "'12h'" in found.rejected[0].sentence
    assert "F2, 2026-05-22" in found.rejected[1].sentence
