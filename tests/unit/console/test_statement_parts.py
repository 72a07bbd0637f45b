"""A statement says what of each flight makes up its lines; what was issued has one hash for ever."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from console.statement_parts import correction_of, flight_of, parts_of, sums
from console.statements import content_hash, issued, month_to_issue, stated
from tests.unit.console.test_statements import ZONE, entry, may

BILL: dict[str, Any] = {
    "flight_id": "F1", "revision": 1, "billed_on": date(2026, 5, 2), "aircraft": "N1", "student": "anna",
    "instructor": "i", "tenths": 13, "dual": 12, "ground": 5, "flight_pay": 4_000, "ground_pay": 3_000,
    "legs": [], "lines": [],
}  # fmt: skip


@pytest.mark.parametrize(
    ("source", "flight"),
    [
        ("flight:F1:1", ("F1", 1)),
        ("flight:a:b:2", ("a:b", 2)),
        ("adjustment:F1:3", ("F1", 3)),
        ("transfer:F1:1", None),
        ("flight:F1:x", None),
        ("flight::1", None),
        ("flight:F1:" + "9" * 12, None),
        ("flight:F1:²", None),
        ("", None),
    ],
)
def test_a_journal_is_of_a_flight_or_of_none(source: str, flight: tuple[str, int] | None) -> None:
    assert flight_of(source) == flight


def test_an_instructor_s_parts_have_hours_and_pay_rates() -> None:
    legs = [
        {"wallet": "instructor:i", "kind": "instruction", "amount": 4_800},
        {"wallet": "instructor:i", "kind": "ground", "amount": 1_500},
    ]
    found = list(parts_of("instructor:i", {**BILL, "legs": legs}))
    assert [(p.title, p.tenths, p.rate, p.amount, p.other) for p in found] == [
        ("instruction", 12, 4_000, 4_800, "anna"),
        ("ground", 5, 3_000, 1_500, "anna"),
    ]
    assert [(one.title, one.tenths, one.amount) for one in sums("instructor:i", found + found)] == [
        ("ground", 10, 3_000),
        ("instruction", 24, 9_600),
    ]


def test_an_owner_sees_income_by_aircraft_and_what_is_kept_for_it_apart() -> None:
    legs = [
        {"wallet": "aircraft_owner:o", "kind": "owner", "amount": 9_000},
        {"wallet": "liability:reserve-N1", "kind": "reserve", "amount": 1_300},
    ]
    found = list(parts_of("aircraft_owner:o", {**BILL, "legs": legs}))
    assert sum(part.amount for part in found if part.counted) == 9_000
    assert [one.title for one in sums("aircraft_owner:o", found)] == [
        "N1, owner",
        "N1, reserve, kept for the aircraft",
    ]


def test_a_student_s_parts_are_the_lines_of_the_bill_and_no_one_else_s_pay() -> None:
    lines = [
        {"description": "N1 1.3 h wet", "amount": 17_550, "tenths": 13, "rate": 13_500},
        {"description": "tax", "amount": 1_000},
    ]
    found = list(parts_of("student:anna", {**BILL, "lines": lines, "flight_pay": None}))
    assert [(p.title, p.tenths, p.rate, p.amount) for p in found] == [
        ("N1 1.3 h wet", 13, 13_500, -17_550),
        ("tax", None, None, -1_000),
    ]
    assert sums("student:anna", found) == []


def test_a_correction_is_one_part_of_what_it_changes() -> None:
    line = entry("2026-05-09T12:00:00Z", "2026-05-09T12:01:00Z", -700) | {"source": "adjustment:F1:2"}
    part = correction_of(line, date(2026, 5, 9))
    assert part is not None
    assert (part.flight_id, part.revision, part.amount, part.title) == ("F1", 2, -700, "correction")
    assert correction_of(line | {"source": "flight:F1:1"}, date(2026, 5, 9)) is None


def test_the_hash_is_of_what_was_issued_and_of_nothing_later() -> None:
    known = [entry("2026-05-02T12:00:00Z", "2026-05-02T12:01:00Z", 5_000)]
    late = entry("2026-05-02T12:00:00Z", "2026-06-20T12:00:00Z", -1_000, "adjustment")
    one = stated("instructor:i", may(), 1_000, known)
    same = stated("instructor:i", may(), 1_000, [*known, late])
    kept = issued(one, "instructor:i", may(), "USD")
    assert kept.content_hash == content_hash(same, "USD")
    assert (kept.opening, kept.closing, kept.lines) == (1_000, 6_000, 1)
    others = [
        stated("instructor:j", may(), 1_000, known),
        stated("instructor:i", may(), 999, known),
        stated("instructor:i", may(), 1_000, [known[0] | {"amount": 5_001}]),
        stated("instructor:i", may(), 1_000, [known[0] | {"source": "flight:y:1"}]),
        stated("instructor:i", may(), 1_000, []),
    ]
    hashes = {content_hash(statement, "USD") for statement in others} | {content_hash(one, "CAD")}
    assert len(hashes) == 6
    assert kept.content_hash not in hashes


@pytest.mark.parametrize(
    ("latest", "now", "month"),
    [
        (None, datetime(2026, 6, 3, 5, 1, tzinfo=UTC), "2026-05"),  # an hour after the third day began
        (None, datetime(2026, 6, 3, 4, 59, tzinfo=UTC), "2026-04"),
        ("2026-04", datetime(2026, 6, 3, 4, 59, tzinfo=UTC), None),
        ("2026-04", datetime(2026, 6, 3, 5, 1, tzinfo=UTC), "2026-05"),
        ("2026-05", datetime(2026, 6, 20, tzinfo=UTC), None),
        ("2026-02", datetime(2026, 6, 20, tzinfo=UTC), "2026-03"),  # it was away for months: none is left out
        ("2025-12", datetime(2026, 2, 10, tzinfo=UTC), "2026-01"),
    ],
)
def test_the_month_that_is_issued_next(latest: str | None, now: datetime, month: str | None) -> None:
    found = month_to_issue(latest, now, ZONE)
    assert (found and found.name) == month
