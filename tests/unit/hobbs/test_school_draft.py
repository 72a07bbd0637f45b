"""A draft from a flights file names everybody in it and cannot be applied unfilled."""

from pathlib import Path

from hobbs.flights.file import read_flights_file
from hobbs.school.draft import draft
from hobbs.school.file import read_school_file
from schemas.flights import FlightCompleted

FLIGHTS = Path(__file__).resolve().parents[3] / "school" / "flights.csv"


def test_an_unfilled_draft_is_refused_and_a_filled_one_is_right() -> None:
    read = read_flights_file(FLIGHTS.read_bytes(), jsonl=False)
    text = draft([one.flight for one in read.flights], "flights.csv")
    assert all("?" in problem.sentence for problem in read_school_file(text).problems)
    filled = text.replace('time_zone = "?"', 'time_zone = "UTC"').replace('"?"', '"1.00"')
    stated = read_school_file(filled)
    assert stated.problems == []
    flown = {one.flight.aircraft for one in read.flights}
    assert {e.key for e in stated.cards if e.kind == "aircraft"} == flown
    assert {e.key for e in stated.cards if e.kind == "instructor"} == {
        f"instructor-0{n}" for n in range(1, 6)
    }


def test_names_with_quotes_and_line_breaks_in_the_source_stay_data() -> None:
    flight = FlightCompleted.model_validate(
        {"flight_id": "1", "date": "2026-01-01", "student": 'O\'Neil "Bo" \\ ✈', "aircraft": "N1"}
    )
    text = draft([flight], "a\n[[owner]]")
    filled = text.replace('time_zone = "?"', 'time_zone = "UTC"').replace('"?"', '"1.00"')
    stated = read_school_file(filled)
    assert stated.problems == []
    assert [e.key for e in stated.cards if e.kind == "student"] == ['O\'Neil "Bo" \\ ✈']
    assert [e for e in stated.cards if e.kind == "owner"] == []
