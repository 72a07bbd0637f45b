"""Which flights are not billed, and on which day the others are."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from services.billing.domain.billing import decide_bill, decide_bills
from services.billing.domain.bills import Bill, Billed, FlightRefusal, Repeat
from services.billing.domain.flights import Meter
from services.billing.domain.rates import (
    InstructorCard,
    SchoolCard,
    StudentCard,
    StudentRateCard,
    TaxCard,
)
from tests.unit.billing.given import OWNED, book, dated, flight, solo

AT = datetime(2026, 5, 22, 15, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("changes", "reason", "said"),
    [
        ({"hobbs": Meter(out=12549, in_=12536)}, "meter_in_before_out", "1253.6 is before Hobbs out 1254.9"),
        ({"tach": Meter(out=12549, in_=12536)}, "meter_in_before_out", "tach in 1253.6 is before"),
        ({"hobbs": Meter(out=22743, in_=22986)}, "hours_over_24", "24.3 h, more than 24"),
        ({"hobbs": Meter(out=-1)}, "meter_out_of_range", "Hobbs out -0.1"),
        ({"tach": Meter(in_=10_000_000)}, "meter_out_of_range", "tach in 1000000.0"),
        ({"logged": -1}, "hours_negative", "flight hours -0.1 are negative"),
        ({"dual": -15}, "hours_negative", "dual hours -1.5"),
        ({"ground": -1}, "hours_negative", "ground hours"),
        ({"logged": 241}, "hours_over_24", "flight hours 24.1"),
        ({"dual": 241}, "hours_over_24", "dual hours 24.1"),
        ({"ground": 999}, "hours_over_24", "ground hours 99.9"),
        ({"not_tenths": ("hobbs_in 1254.95",)}, "hours_not_tenths", "hobbs_in 1254.95"),
        ({"departed_at": AT, "arrived_at": AT - timedelta(minutes=1)}, "arrived_before_departed", "arrived"),
        ({"departed_at": AT, "arrived_at": AT + timedelta(hours=25)}, "hours_over_24", "more than 24 h"),
        ({"instructor": None}, "instructor_missing", "1.5 h dual and 0.5 h ground"),
        ({"aircraft": None}, "aircraft_missing", "no aircraft is named"),
        ({"aircraft": None, "hobbs": Meter(), "logged": 0}, "aircraft_missing", "no aircraft is named"),
        ({"hobbs": Meter(), "logged": None}, "hours_missing", "neither two readings nor flight hours"),
        ({"aircraft": "N0"}, "unknown_aircraft", "aircraft N0 is not in the school's book"),
        ({"student": "nobody"}, "unknown_student", "student nobody"),
        ({"instructor": "nobody"}, "unknown_instructor", "instructor nobody"),
        ({"flight_id": "F" * 81}, "identifier_too_long", "longer than 80"),
    ],
)  # fmt: skip
def test_an_impossible_flight_is_refused_with_a_sentence(
    changes: dict[str, Any], reason: str, said: str
) -> None:
    refusal = decide_bill(flight(**changes), book())
    assert isinstance(refusal, FlightRefusal)
    assert refusal.reason == reason
    assert said in refusal.sentence
    assert refusal.sentence.startswith("flight F")


def test_a_flight_of_24_hours_is_billed() -> None:
    assert isinstance(decide_bill(solo(240), book()), Bill)


@pytest.mark.parametrize(
    ("without", "reason"),
    [
        (("school", "school"), "school_not_configured"),
        (("owner", "owner-01"), "unknown_owner"),
        (("student_rate", "default"), "no_rate_in_force"),
    ],
)
def test_a_flight_waits_for_the_card_it_needs(without: tuple[str, str], reason: str) -> None:
    refusal = decide_bill(flight(), book(without=[without]))
    assert isinstance(refusal, FlightRefusal)
    assert refusal.reason == reason


def test_a_solo_flight_needs_no_instruction_rate() -> None:
    assert isinstance(decide_bill(solo(13), book(without=[("student_rate", "default")])), Bill)


@pytest.mark.parametrize(
    ("kind", "key", "card"),
    [
        ("aircraft", "N364MA", OWNED),
        ("instructor", "instructor-01", InstructorCard(flight_per_hour=1, ground_per_hour=1)),
        ("student", "student-01", StudentCard()),
        ("student_rate", "default", StudentRateCard(flight_per_hour=1, ground_per_hour=1)),
    ],
)
def test_a_card_that_begins_after_the_flight_is_not_in_force(kind: str, key: str, card: Any) -> None:
    begins = dated(kind, key, card, date(2026, 5, 23))
    refusal = decide_bill(flight(), book(without=[(kind, key)], later=[begins]))
    assert isinstance(refusal, FlightRefusal)
    assert refusal.reason == "no_rate_in_force"


def test_the_card_in_force_on_the_day_is_used_from_its_first_day_on() -> None:
    dearer = InstructorCard(flight_per_hour=10_000, ground_per_hour=10_000)
    for first_day, pay in ((date(2026, 5, 22), 20000), (date(2026, 5, 23), 8750)):
        later = [dated("instructor", "instructor-01", dearer, first_day, version=2)]
        bill = decide_bill(flight(), book(later=later))
        assert isinstance(bill, Bill)
        assert dict(bill.entries())["instructor:instructor-01"] == pay


def test_a_tax_that_begins_later_is_not_charged_before() -> None:
    begins = dated("tax", "rental", TaxCard(tax_ppm=56_000), date(2026, 5, 23))
    bill = decide_bill(flight(), book(without=[("tax", "rental")], later=[begins]))
    assert isinstance(bill, Bill)
    assert bill.charge == 34950


def test_nobody_teaches_himself() -> None:
    self_taught = {("student", "student-01"): StudentCard(also_instructor="instructor-01")}
    refusal = decide_bill(flight(), book(self_taught))
    assert isinstance(refusal, FlightRefusal)
    assert refusal.reason == "self_instruction"


@pytest.mark.parametrize(
    ("departed", "given_date", "zone", "billed_on"),
    [
        ("2025-05-22T00:10:00+00:00", "2025-05-22", "America/New_York", "2025-05-21"),
        ("2025-05-22T00:10:00+00:00", None, "UTC", "2025-05-22"),
        ("2025-05-21T15:10:00+00:00", None, "Pacific/Auckland", "2025-05-22"),
        ("2025-03-09T04:59:00+00:00", None, "America/New_York", "2025-03-08"),
        ("2025-03-10T04:00:00+00:00", None, "America/New_York", "2025-03-10"),
        (None, "2025-05-22", "America/New_York", "2025-05-22"),
    ],
)
def test_the_bills_date_is_the_school_local_date(
    departed: str | None, given_date: str | None, zone: str, billed_on: str
) -> None:
    at = datetime.fromisoformat(departed) if departed else None
    when = {"departed_at": at, "given_date": date.fromisoformat(given_date) if given_date else None}
    school = {("school", "school"): SchoolCard(name="S", time_zone=zone, currency="USD")}
    bill = decide_bill(solo(10, arrived_at=None, **when), book(school))
    assert isinstance(bill, Bill)
    assert bill.billed_on.isoformat() == billed_on


def test_a_flight_without_a_time_of_day_happened_at_local_noon() -> None:
    bill = decide_bill(solo(10, departed_at=None, arrived_at=None), book())
    assert isinstance(bill, Bill)
    assert bill.occurred_at == datetime(2026, 5, 22, 16, tzinfo=UTC)


def test_the_same_flight_again_is_a_repeat_and_other_content_is_refused() -> None:
    first, other = flight(), flight(logged=99)
    results = decide_bills([first, first, other], book(), {})
    assert [type(v) for v in results] == [Bill, Repeat, FlightRefusal]
    assert isinstance(results[2], FlightRefusal)
    assert results[2].reason == "billed_with_other_content"


def test_a_billed_flight_is_known_by_its_fingerprint() -> None:
    billed = {"F123": Billed(revision=1, fingerprint=flight().fingerprint())}
    assert isinstance(decide_bills([flight()], book(), billed)[0], Repeat)


def test_figures_that_could_not_be_read_are_other_content() -> None:
    billed = {"F123": Billed(revision=1, fingerprint=flight().fingerprint())}
    assert isinstance(decide_bills([flight(not_tenths=("x 1.55",))], book(), billed)[0], FlightRefusal)


def test_another_revision_of_a_billed_flight_is_not_billed_again() -> None:
    results = decide_bills([flight(), flight(revision=2)], book(), {})
    assert isinstance(results[1], FlightRefusal)
    assert results[1].reason == "billed_under_another_revision"


def test_a_refused_flight_can_be_billed_later_in_the_same_batch() -> None:
    results = decide_bills([flight(dual=-1), flight()], book(), {})
    assert [type(v) for v in results] == [FlightRefusal, Bill]
