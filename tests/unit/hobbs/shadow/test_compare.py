"""Two systems' flights are walked through side by side: every difference once, nothing else."""

import random
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hobbs.flights.column_maps import column_map
from hobbs.flights.unreadable import FileUnreadable
from hobbs.shadow import figures_file
from hobbs.shadow.compare import Difference, differences
from hobbs.shadow.figures import Figure, FlightFigures
from hobbs.shadow.figures_file import COLUMNS, FiguresFile, Reading, sorted_flights

SIDES = st.dictionaries(st.text("ab-1é\U0001f6e9", min_size=1, max_size=3), st.integers(-3, 3), max_size=8)


def flights(amounts: dict[str, int]) -> list[FlightFigures]:
    return [FlightFigures(name, "", [Figure("student", amounts[name])]) for name in sorted(amounts)]


@given(there=SIDES, here=SIDES)
def test_the_differences_are_those_of_two_dictionaries(there: dict[str, int], here: dict[str, int]) -> None:
    found = list(differences(flights(there), flights(here), {"student"}))
    told = {one.flight_id: one.amount for one in found if one}
    expected = {name: here.get(name, 0) - there.get(name, 0) for name in {**there, **here}}
    assert told == {name: amount for name, amount in expected.items() if amount}
    assert found.count(None) == len({**there, **here})


def read(path: Path, text: str, **how: object) -> tuple[list[FlightFigures], FiguresFile]:
    path.write_text(text, encoding="utf-8")
    found = FiguresFile()
    with ExitStack() as stack:
        reading = Reading(currency="USD", **how)  # type: ignore[arg-type]
        told = list(sorted_flights(path, reading, found, stack))
        figures = [one.figures() for one in told]
        for one, figured in zip(told, figures, strict=True):
            assert one.amounts == {figure.party: figure.amount for figure in figured.figures}
        return figures, found


def test_a_file_larger_than_a_chunk_is_sorted_by_flight(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(figures_file, "CHUNK", 7)
    names = [f"F{n}" for n in range(50)]
    random.Random(1).shuffle(names)
    rows = "".join(f"{name},2026-05-22,student,{name[1:]}.50,1.3,165,1.20\n" for name in names)
    told, found = read(tmp_path / "old.csv", "flight_id,date,party,amount,hours,rate,tax\n" + rows)
    assert [one.flight_id for one in told] == sorted(names)
    assert told[0] == FlightFigures("F0", "2026-05-22", [Figure("student", 50, 13, 16_500, 120)])
    assert (found.rows, found.faulty, found.named) == (50, 0, False)


def test_a_row_for_each_flight_has_a_column_for_each_party(tmp_path: Path) -> None:
    text = (
        "Flight No;date;student;instructor;tax;hours\nF1;2026-05-22;1.331,51;67,50;12,01;1,3\nF2;;9,00;;;\n"
    )
    told, found = read(
        tmp_path / "old.csv", text, decimals="comma", column_map=column_map(["Flight No=flight_id"], COLUMNS)
    )
    assert list(told[0].figures) == [
        Figure("student", 133_151, 13, None, 1_201),
        Figure("instructor", 6_750),
        Figure("tax", 1_201),
    ]
    assert list(told[1].figures) == [Figure("student", 900)]
    assert found.roles == {"student", "instructor", "tax"}


def test_two_rows_of_a_party_are_one_amount(tmp_path: Path) -> None:
    text = "flight_id,party,amount,hours\nF1,instructor:i,60.00,1.5\nF1,instructor:i,7.50,0.5\n"
    told, found = read(tmp_path / "old.csv", text)
    assert list(told[0].figures) == [Figure("instructor:i", 6_750)]
    assert found.named


def test_what_cannot_be_read_is_a_fault_and_not_a_zero(tmp_path: Path) -> None:
    text = (
        "flight_id,date,party,amount\nF1,2026-05-22,student,1.234\nF2,22.05.2026,student,1.00\n"
        "F3,2026-05-22,pilot,1.00\n,2026-05-22,student,1.00\nF5,2026-05-22,student,2.00\n"
    )
    told, found = read(tmp_path / "old.csv", text)
    assert [one.flight_id for one in told] == ["F5"]
    assert found.faulty == 4
    assert [fault.split(":")[0] for fault in found.faults] == ["line 5", "line 2", "line 3", "line 4"]


def test_a_stray_quote_costs_its_own_line_and_a_row_that_is_there_twice_is_said(tmp_path: Path) -> None:
    rows = ("F1,student,1.00", 'F2,"stu,2.00', "F3,student,3.00", "F1,student,1.00", "Total,,7.00")
    text = "\n".join(("flight_id,party,amount", *rows))
    told, found = read(tmp_path / "old.csv", text)
    assert [(one.flight_id, one.figures[0].amount) for one in told] == [("F1", 200), ("F3", 300)]
    assert (found.faulty, found.repeated) == (1, 1)
    assert found.faults[0].startswith("line 3: cannot be read as CSV")
    assert found.notes == [
        "line 6 is left out: a row of totals (Total)",
        "line 5 says the same of F1 as line 2: both are counted",
    ]


@pytest.mark.parametrize("header", ["date,party,amount", "flight_id,hours", "flight_id,party", ""])
def test_a_file_without_the_columns_that_are_needed_is_refused(tmp_path: Path, header: str) -> None:
    with pytest.raises(FileUnreadable):
        read(tmp_path / "old.csv", header and header + "\n")


def test_of_parties_that_the_other_system_does_not_know_nothing_is_compared() -> None:
    here = [FlightFigures("F1", "", [Figure("student", 5), Figure("reserve", 7)])]
    there = [FlightFigures("F1", "", [Figure("student", 5)])]
    assert [one for one in differences(there, here, {"student"}) if one] == []


def test_what_is_derived_has_the_cause_of_what_it_follows_from() -> None:
    there = [
        FlightFigures("F1", "2026-05-22", [Figure("tax", 1), Figure("student", 100), Figure("school", 9)])
    ]
    here = [
        FlightFigures("F1", "2026-05-22", [Figure("tax", 2), Figure("student", 900), Figure("school", 5)])
    ]
    found = [
        one for one in differences(there, here, {"tax", "student", "school"}) if isinstance(one, Difference)
    ]
    assert [one.party for one in found] == ["student", "tax", "school"]
    assert len({one.cause for one in found}) == 1
