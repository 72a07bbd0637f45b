"""A draft from a flights file names everybody in it and cannot be applied unfilled."""

from pathlib import Path

import pytest

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
    questions = [number for number, line in enumerate(text.splitlines(), start=1) if '= "?"' in line]
    assert [problem.line for problem in read_school_file(text).problems] == questions
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


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("name", '"?"'),
        ("name", '" ??? "'),
        ("name", '"\\uFF1F"'),
        ("name", '""'),
        ("name", '" "'),
        ("time_zone", '"?"'),
        ("currency", '"?"'),
    ],
)
def test_a_place_that_nobody_filled_in_is_named_with_its_line(setting: str, value: str) -> None:
    settings = {"name": '"Bay Flyers"', "time_zone": '"UTC"', "currency": '"USD"'} | {setting: value}
    text = "[school]\n" + "".join(f"{name} = {given}\n" for name, given in settings.items())
    [problem] = read_school_file(text).problems
    assert problem.sentence.startswith(f"school: {setting}")
    assert ("fill it in" in problem.sentence) == (setting == "name")
    assert problem.line == 2 + list(settings).index(setting)


@pytest.mark.parametrize(
    "table",
    [
        '[[student]]\nid = "?"\n',
        '[[instructor]]\nid = "i"\nflight_per_hour = "60.00"\nground_per_hour = "60.00"\nemail = "?"\n',
        '[[tax]]\nline = "?"\npercent = 5.6\n',
        '[[tax]]\nline = "rental"\npercent = "?"\n',
        '[[aircraft]]\ntail = "N1"\nmodel = "owned"\nmeter = "hobbs"\nrate_per_hour = 1\n'
        'airport_fees = [{ name = "?", amount = 5 }]\n',
        '[[student]]\nid = "s"\neffective_from = "?"\n',
    ],
)
def test_every_setting_of_every_table_may_be_unfilled(table: str) -> None:
    school = '[school]\nname = "What? A school?"\ntime_zone = "UTC"\ncurrency = "USD"\n'
    assert read_school_file(school).problems == []
    [problem] = read_school_file(school + table).problems
    assert problem.line == 4 + table[: table.index("?")].count("\n") + 1
