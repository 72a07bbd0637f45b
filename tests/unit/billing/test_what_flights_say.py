"""Hours and ids that are taken, and those that are refused: the same by every door."""

import json
import tomllib
from typing import Any

import orjson
import pytest
from pydantic import ValidationError

from fleet.inbox import Unreadable, has_nul
from hobbs.school.file import read_school_file
from schemas.flights import FlightCompleted, FlightCorrected
from schemas.school import SchoolAccepted, SchoolConfigured
from services.billing.wire.events import flight_completed, school_configured
from services.gateway.domain.problems import ProblemRaised
from services.gateway.wire import read_flights
from tests.support.records import record

FLIGHT: dict[str, Any] = {"flight_id": "F1", "student": "s-1", "date": "2026-05-22"}
FIGURES = ("hobbs_out", "hobbs_in", "tach_out", "tach_in", "flight_hours", "dual_hours", "ground_hours")
TAKEN: list[Any] = [
    "1.3",
    "0",
    "0.0",
    "0.00",
    "1.30",
    "10",
    ".5",
    "5.",
    "-0.0",
    "999999.9",
    "1.35",
    "007.1",
    1,
    1.3,
    0,
    1e1,
]
REFUSED = [
    "1_0.0", "1_0", "１.３", "١.٣", "1.٣", "१", "1e1", "1E1", "13e-1", "+1.3", " 1.3", "1.3 ", "1.3\n",
    "\u00a01.3", "1.3\u200b", "1,3", "1 000", "0x1", "1.3.1", ".", "-", "--1", "½", "²", "inf", "NaN",
    "Infinity", "1.3h",
    "١", "1." + "0" * 25, "1.3" + "0" * 24, "0." + "3" * 25, "1" * 30, 1e-7, 1e22,
    1.2999999999999998, True, False, [1],
]  # fmt: skip
UNSEEN = [
    chr(code)
    for code in (0xA0, 0x2007, 0x202F, 0x3000, 0x1680, 0x200B, 0x200C, 0x200D, 0x2060, 0xFEFF, 0xAD, 0x202E)
] + [chr(0x2028), chr(0x85), chr(0x34F)]
IDS_REFUSED = [
    " F1", "F1 ", "  F1", "F  1", " ", "\tF1", "F1\t", "F\t1", "F1\n", "\nF1", "F\r1", "F\x001", "F\x7f1",
    "F\x1b1", "\u2028F1", "F\ufe0f1", "\u3164F1", "F\U000e00411", "e\u0301",
    *(place.format(char) for char in UNSEEN for place in ("{}F1", "F1{}", "F{}1")),
]  # fmt: skip
IDS_TAKEN: list[Any] = [
    "F1",
    "Smith, John",
    "é",
    "Ørsted-1",
    "飛行1",
    "F:1/2#3",
    "a\\u0000b",
    "✈",
    "N364MA",
    "'; --",
    "x" * 80,
]


def kafka(flight: dict[str, Any]) -> object:
    return flight_completed(record("flight.completed", json.dumps(flight).encode()))


def http(flight: dict[str, Any]) -> object:
    return read_flights(json.dumps(flight).encode(), FlightCompleted)


def correction(flight: dict[str, Any]) -> object:
    told = flight | {"revision": 2, "reason": "r", "corrected_by": "c"}
    return read_flights(json.dumps(told).encode(), FlightCorrected)


DOORS = [kafka, http, correction]
SAYS_NO = (Unreadable, ProblemRaised, ValidationError)


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("figure", TAKEN)
def test_plain_hours_are_taken(figure: Any, door: Any) -> None:
    for name in FIGURES:
        assert door(FLIGHT | {name: figure})


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("figure", REFUSED)
def test_hours_that_are_no_plain_figure_are_refused(figure: Any, door: Any) -> None:
    for name in FIGURES:
        with pytest.raises(SAYS_NO) as raised:
            door(FLIGHT | {name: figure})
        assert name in str(getattr(raised.value, "sentence", "") or raised.value.problem.members)  # type: ignore[attr-defined]


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("nothing", [None, "", "  ", "\u00a0"])
def test_a_field_nobody_filled_in_is_no_figure(nothing: Any, door: Any) -> None:
    assert door(FLIGHT | dict.fromkeys(FIGURES, nothing))


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("name", ["flight_id", "student", "aircraft", "instructor"])
def test_an_id_that_looks_like_another_is_refused_by_every_door(name: str, door: Any) -> None:
    for written in IDS_REFUSED:
        with pytest.raises(SAYS_NO):
            door(FLIGHT | {name: written})
    for written in IDS_TAKEN:
        assert door(FLIGHT | {name: written})


@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        (" F1", 'flight_id: " F1" begins with a blank; write the id without it'),
        ("F1 ", 'flight_id: "F1 " ends with a blank; write the id without it'),
        (
            "F\u200b1",
            'flight_id: "F\\u200b1" has U+200B (ZERO WIDTH SPACE) at character 2; write the id without it',
        ),
        (
            "F\t1",
            'flight_id: "F\\t1" has U+0009 (a control character) at character 2; write the id without it',
        ),
        ("F  1", 'flight_id: "F  1" has two blanks in a row; write one'),
    ],
)
def test_a_refused_id_is_shown_with_what_is_wrong(written: str, sentence: str) -> None:
    with pytest.raises(Unreadable) as raised:
        kafka(FLIGHT | {"flight_id": written})
    assert raised.value.sentence.startswith(sentence)
    with pytest.raises(ProblemRaised) as problem:
        http(FLIGHT | {"flight_id": written})
    assert f"flight_id: {problem.value.problem.members['errors'][0]['detail']}".startswith(sentence)


def version(kind: str, key: str, new: dict[str, Any] | None) -> dict[str, Any]:
    change = {"kind": kind, "key": key, "effective_from": "2026-01-01", "new": new}
    return {
        "version": 1, "base_version": 0, "who": "w", "why": "y", "at": "2026-05-22T12:00:00Z",
        "changes": [change],
    }  # fmt: skip


@pytest.mark.parametrize("written", IDS_REFUSED)
def test_a_card_brings_in_no_id_that_looks_like_another(written: str) -> None:
    for told in (
        version("student", written, {}),
        version("student_rate", f"student:{written}", {"flight_per_hour": 1}),
        version("student", "s", {"also_instructor": written}),
        version("aircraft", "N1", {"model": "owned", "meter": "hobbs", "rate_per_hour": 1, "owner": written}),
    ):
        with pytest.raises(Unreadable):
            school_configured(record("school.configured", json.dumps(told).encode()))


@pytest.mark.parametrize("written", [" s", "s\u00a01", "s  1"])
def test_an_id_that_was_accepted_before_can_be_withdrawn_and_is_followed(written: str) -> None:
    withdrawal = version("student", written, None)
    assert SchoolConfigured.model_validate(withdrawal)
    assert SchoolAccepted.model_validate(version("student", written, {}))


SCHOOL = '[school]\nname = "S"\ntime_zone = "UTC"\ncurrency = "USD"\n'


@pytest.mark.parametrize("written", IDS_REFUSED)
def test_a_school_file_says_which_id_is_wrong(written: str) -> None:
    for table in (
        f"[[student]]\nid = {json.dumps(written)}\n",
        f'[[student]]\nid = "s"\nalso_owner = {json.dumps(written)}',
    ):
        try:
            tomllib.loads(table)
        except tomllib.TOMLDecodeError:
            continue
        (problem, *_) = read_school_file(SCHOOL + table).problems
        assert json.dumps(written)[:20] in problem.sentence


@pytest.mark.parametrize("percent", ['"1_0"', '"５"', '" 5"', '"5e0"', '"+5"', '"5."', '"0x5"', '"inf"'])
def test_a_percentage_has_plain_digits(percent: str) -> None:
    (problem,) = read_school_file(f'{SCHOOL}[[tax]]\nline = "rental"\npercent = {percent}\n').problems
    assert "is not a percentage" in problem.sentence


@pytest.mark.parametrize("day", ["20260131", "2026-W05-6", "２０２６-01-31", " 2026-01-31"])
def test_a_date_in_quotes_is_written_one_way(day: str) -> None:
    (problem,) = read_school_file(f'{SCHOOL}[[student]]\nid = "s"\neffective_from = "{day}"\n').problems
    assert "such as 2026-01-31" in problem.sentence


@pytest.mark.parametrize(
    ("body", "nul"),
    [
        (b'{"a": "x\\u0000"}', True),
        (b'{"a": ["x", {"b": "\\u0000"}]}', True),
        (b'{"x\\u0000": 1}', True),
        (b'{"a": "\\\\\\u0000"}', True),
        (b'{"a": "\\\\u0000"}', False),
        (b'{"a": "C:\\\\u0000\\\\x"}', False),
        (b'{"a\\\\u0000": "b"}', False),
        (b'{"a": "\\\\\\\\u0000"}', False),
        (b'{"a": "u0000"}', False),
        (b'"\\u0000"', True),
    ],
)
def test_a_nul_is_a_character_and_not_six(body: bytes, nul: bool) -> None:
    assert has_nul(body, orjson.loads(body)) is nul


def test_six_characters_that_spell_a_nul_are_taken_by_every_door() -> None:
    for door in DOORS:
        assert door(FLIGHT | {"student": "a\\u0000b"})
        with pytest.raises(SAYS_NO, match="NUL"):
            door(FLIGHT | {"note": "a\x00b"})
