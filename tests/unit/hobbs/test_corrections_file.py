"""A file of corrections: each row is the next revision of a flight, or cancels it."""

import json
from typing import Any

import pytest

from hobbs.flights.corrections import correction_shape
from hobbs.flights.file import FlightsFile, parse_column_map, read_file
from hobbs.flights.unreadable import FileUnreadable
from schemas.flights import FlightCancelled, FlightCorrected

HEADER = (
    "flight_id,revision,date,student,aircraft,hobbs_out,hobbs_in,reason,corrected_by,priced_by,cancelled\n"
)


def read(
    text: str, *, why: str | None = None, jsonl: bool = False, **options: Any
) -> FlightsFile[FlightCorrected | FlightCancelled]:
    shape = correction_shape(why=why, who="dispatch")
    return read_file(text.encode(), shape, jsonl=jsonl, **options)


def test_a_row_is_the_whole_next_revision() -> None:
    found = read(HEADER + "F1,2,2026-05-22,anna,N1,1.0,2.0,digits,bob,book,\n")
    assert found.rejected == []
    (flight,) = [row.flight for row in found.flights]
    assert isinstance(flight, FlightCorrected)
    assert (flight.flight_id, flight.revision, flight.reason) == ("F1", 2, "digits")
    assert (flight.corrected_by, flight.priced_by, str(flight.hobbs_in)) == ("bob", "book", "2.0")


@pytest.mark.parametrize("yes", ["yes", "Y", "TRUE", "x", "1", "cancelled"])
def test_a_row_that_cancels_needs_no_facts(yes: str) -> None:
    found = read(HEADER + f"F1,2,,,,,,entered twice,,,{yes}\n")
    assert [row.flight for row in found.flights] == [
        FlightCancelled(flight_id="F1", revision=2, reason="entered twice", cancelled_by="dispatch")
    ]


@pytest.mark.parametrize("no", ["", "no", "0", "False"])
def test_a_row_that_does_not_cancel_is_a_correction(no: str) -> None:
    (row,) = read(HEADER + f"F1,2,2026-05-22,anna,,,,digits,,,{no}\n").flights
    assert isinstance(row.flight, FlightCorrected)


def test_the_command_says_why_and_who_for_rows_that_do_not() -> None:
    found = read("flight_id,revision,date,student\nF1,2,2026-05-22,anna\n", why="hours")
    (flight,) = found.events()
    assert isinstance(flight, FlightCorrected)
    assert (flight.reason, flight.corrected_by) == ("hours", "dispatch")


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("F1,1,2026-05-22,anna,,,,digits,,,", "revision"),
        ("F1,,2026-05-22,anna,,,,digits,,,", "revision"),
        ("F1,2,2026-05-22,anna,,,,,,,", "reason"),
        ("F1,2,,anna,,,,digits,,,", "a flight needs a date or departed_at"),
        ("F1,2,2026-05-22,anna,,,,digits,,today,", "priced_by"),
        ("F1,2,2026-05-22,anna,,,,digits,,,perhaps", "cancelled: 'perhaps' is neither yes nor no"),
        ("F1,,,,,,,entered twice,,,yes", "revision"),
    ],
)
def test_a_row_that_says_too_little_is_rejected_by_its_line(row: str, said: str) -> None:
    found = read(HEADER + row + "\n")
    (rejected,) = found.rejected
    assert (rejected.line, found.flights) == (2, [])
    assert said in rejected.sentence


def test_one_revision_twice_in_a_file_is_told() -> None:
    row = "F1,2,2026-05-22,anna,,,,digits,,,"
    found = read(HEADER + f"{row}\n{row}\n{row.replace('anna', 'otto')}\nF1,2,,,,,,twice,,,yes\n")
    assert [(one.line, one.reason) for one in found.rejected] == [
        (3, "repeated"),
        (4, "contradicts"),
        (5, "contradicts"),
    ]


def test_json_lines_may_correct_and_cancel() -> None:
    lines = [
        {"flight_id": "F1", "revision": 2, "date": "2026-05-22", "student": "anna", "reason": "digits"},
        {"flight_id": "F2", "revision": 3, "cancelled": True, "reason": "twice"},
    ]
    found = read("\n".join(map(json.dumps, lines)), jsonl=True)
    assert [type(row.flight) for row in found.flights] == [FlightCorrected, FlightCancelled]


def test_a_column_of_a_correction_may_have_another_name() -> None:
    shape = correction_shape(why=None, who="dispatch")
    names = parse_column_map(["Why=reason", "Rev=revision"], shape)
    found = read("flight_id,Rev,date,student,Why\nF1,2,2026-05-22,anna,digits\n", column_map=names)
    assert [row.flight.revision for row in found.flights] == [2]
    with pytest.raises(FileUnreadable, match="none of"):
        parse_column_map(["Why=reason"])


def test_a_file_without_revisions_is_no_file_of_corrections() -> None:
    with pytest.raises(FileUnreadable, match="no column for revision"):
        read("flight_id,date,student\nF1,2026-05-22,anna\n")
