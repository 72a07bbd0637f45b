"""Meters nobody read, and meters that rolled over."""

from dataclasses import replace
from typing import Any

import pytest

from schemas.flights import FlightCompleted
from services.billing.domain.billing import decide_bill
from services.billing.domain.bills import Bill, FlightRefusal
from services.billing.domain.flights import Flight, Meter, flight_from_facts
from services.billing.domain.rates import AircraftCard
from services.billing.wire.events import flight_from_event
from tests.unit.billing.given import OWNED, aircraft, flight, solo

TACH = replace(OWNED, meter="tach")
NO_METER = replace(OWNED, meter="none")
UNREAD = [
    (0, 0),
    (0.0, 0.0),
    ("0.00", "0.00"),
    ("0", "0.0"),
    (None, None),
    ("", ""),
    (None, ""),
    ("-0.0", "0"),
]


def published(**figures: Any) -> Flight:
    """A solo flight as its event says."""
    facts = {"flight_id": "F1", "date": "2026-05-22", "student": "student-01", "aircraft": "N364MA"}
    return flight_from_event(FlightCompleted.model_validate(facts | figures))


@pytest.mark.parametrize(("out", "back"), UNREAD)
@pytest.mark.parametrize("card", [OWNED, TACH, NO_METER])
def test_a_meter_nobody_read_bills_the_logged_hours(out: Any, back: Any, card: Any) -> None:
    readings = {
        f"{name}_{end}": value for name in ("hobbs", "tach") for end, value in (("out", out), ("in", back))
    }
    bill = decide_bill(published(**readings, flight_hours="1.3"), aircraft(card))
    assert isinstance(bill, Bill)
    assert (bill.hours.billed, bill.hours.source) == (13, "logged")
    assert (bill.charge, bill.flags) == (22651, ())


@pytest.mark.parametrize(
    ("meter", "hours"),
    [("hobbs", (13, "logged")), ("tach", (11, "tach")), ("none", (13, "logged"))],
)
def test_one_meter_nobody_read_leaves_the_other(meter: str, hours: tuple[int, str]) -> None:
    told = published(hobbs_out="0.00", hobbs_in="0.00", tach_out="100.0", tach_in="101.1", flight_hours=1.3)
    bill = decide_bill(told, aircraft(replace(OWNED, meter=meter)))
    assert isinstance(bill, Bill)
    assert (bill.hours.billed, bill.hours.source) == hours


def test_a_meter_nobody_read_and_no_hours_are_no_hours() -> None:
    refusal = decide_bill(published(hobbs_out=0, hobbs_in=0, tach_out=5, tach_in=6), aircraft(OWNED))
    assert isinstance(refusal, FlightRefusal)
    assert refusal.reason == "hours_missing"
    assert "Hobbs 0.0 to 0.0 is a meter that nobody read; send revision 2" in refusal.sentence
    nothing = decide_bill(published(hobbs_out=0, hobbs_in=0, flight_hours="0.00"), aircraft(OWNED))
    assert isinstance(nothing, Bill)
    assert (nothing.charge, nothing.entries()) == (0, [])


def test_a_ground_lesson_may_have_meters_nobody_read() -> None:
    zeros = dict.fromkeys(("hobbs_out", "hobbs_in", "tach_out", "tach_in", "flight_hours"), "0.00")
    lesson = published(**zeros, aircraft=None, instructor="instructor-01", ground_hours="1.0")
    bill = decide_bill(lesson, aircraft(OWNED))
    assert isinstance(bill, Bill)
    assert bill.charge == 6000


@pytest.mark.parametrize(
    ("out", "back", "hours"),
    [(0, 9, 9), (0, 240, 240), (None, 0, None), (0, None, None)],
)
def test_one_zero_is_a_reading(out: int | None, back: int | None, hours: int | None) -> None:
    bill = decide_bill(solo(13, hobbs=Meter(out=out, in_=back)), aircraft(OWNED))
    assert isinstance(bill, Bill)
    assert (bill.hours.billed, bill.hours.source) == ((13, "logged") if hours is None else (hours, "hobbs"))


@pytest.mark.parametrize("hobbs", [Meter(out=0, in_=12549), Meter(out=12536, in_=0)])
def test_one_zero_that_cannot_be_a_reading_is_told_how_to_be_written(hobbs: Meter) -> None:
    refusal = decide_bill(solo(13, hobbs=hobbs), aircraft(OWNED))
    assert isinstance(refusal, FlightRefusal)
    assert "left out, not written as 0.0" in refusal.sentence


def test_a_bill_of_before_is_priced_again_as_it_was() -> None:
    facts = solo(13, hobbs=Meter(out=0, in_=0)).facts()
    for hours_from, charge in (("hobbs", 0), ("logged", 22651)):
        again = decide_bill(flight_from_facts(facts, hours_from=hours_from), aircraft(OWNED))
        assert isinstance(again, Bill)
        assert (again.charge, again.hours.source) == (charge, hours_from)


def test_readings_keep_the_fingerprint_of_what_was_published() -> None:
    zeros = solo(13, hobbs=Meter(out=0, in_=0))
    assert zeros.facts()["hobbs_out"] == 0
    assert zeros.fingerprint() != solo(13, hobbs=Meter()).fingerprint()


def with_digits(card: AircraftCard, meter: str, digits: int | None) -> AircraftCard:
    return replace(card, hobbs_digits=digits) if meter == "hobbs" else replace(card, tach_digits=digits)


ROLLED = Meter(out=99_998, in_=9)  # 9999.8 to 0.9


@pytest.mark.parametrize(
    ("meter", "digits", "billed"),
    [
        (ROLLED, 4, 11),
        (Meter(out=999_990, in_=5), 5, 15),
        (Meter(out=9_990, in_=5), 3, 15),
        (Meter(out=9_999_990, in_=0), 6, 10),
        (Meter(out=99_999, in_=0), 4, 1),
        (Meter(out=99_760, in_=0), 4, 240),
        (Meter(out=99_998, in_=100_009), None, 11),  # a meter with one figure more
    ],
)
@pytest.mark.parametrize("name", ["hobbs", "tach"])
def test_a_meter_that_rolled_over_ran_on(meter: Meter, digits: int | None, billed: int, name: str) -> None:
    card = with_digits(replace(OWNED, meter=name), name, digits)
    told = solo(13, **{"hobbs": Meter(), name: meter}, logged=None)
    bill = decide_bill(told, aircraft(card))
    assert isinstance(bill, Bill)
    assert (bill.hours.billed, bill.hours.source) == (billed, name)
    assert [flag.kind for flag in bill.flags] == (["meter_rolled_over"] if digits else [])
    read = told.meter("hobbs" if name == "hobbs" else "tach").continued()
    assert (read.in_ or 0) - (read.out or 0) == billed


@pytest.mark.parametrize(
    ("meter", "digits", "reason"),
    [
        (ROLLED, 5, "meter_in_before_out"),
        (ROLLED, 3, "meter_out_of_range"),
        (ROLLED, None, "meter_in_before_out"),
        (Meter(out=99_759, in_=0), 4, "meter_in_before_out"),
        (Meter(out=12_549, in_=12_536), 4, "meter_in_before_out"),
        (Meter(out=995, in_=5), None, "meter_in_before_out"),
        (Meter(out=5, in_=2), 4, "meter_in_before_out"),
        (Meter(out=100_000, in_=100_005), 4, "meter_out_of_range"),
    ],
)
@pytest.mark.parametrize("name", ["hobbs", "tach"])
def test_a_meter_that_cannot_have_rolled_over_is_refused(
    meter: Meter, digits: int | None, reason: str, name: str
) -> None:
    card = with_digits(NO_METER, name, digits)
    refusal = decide_bill(solo(13, **{"hobbs": Meter(), name: meter}), aircraft(card))
    assert isinstance(refusal, FlightRefusal)
    assert refusal.reason == reason


def test_logged_hours_that_say_the_same_prove_a_rollover() -> None:
    bill = decide_bill(solo(11, hobbs=ROLLED), aircraft(OWNED))
    assert isinstance(bill, Bill)
    assert (bill.hours.billed, bill.hours.source) == (11, "hobbs")
    assert isinstance(decide_bill(solo(3, hobbs=Meter(out=5, in_=8), logged=3), aircraft(OWNED)), Bill)
    backwards = decide_bill(solo(7, hobbs=Meter(out=5, in_=2), logged=7), aircraft(OWNED))
    assert isinstance(backwards, FlightRefusal)  # no meter ends at 0.9


def test_each_way_out_of_a_rolled_over_meter_works() -> None:
    told = solo(13, hobbs=ROLLED)
    refusal = decide_bill(told, aircraft(OWNED))
    assert isinstance(refusal, FlightRefusal)
    assert refusal.sentence == (
        "flight F123: Hobbs in 0.9 is before Hobbs out 9999.8; if the meter rolled over (1.1 h), write "
        "hobbs_digits = 4 in the card of N364MA that is in force on 2026-05-22, apply it, and redrive this "
        "flight (hobbs dead redrive); else send revision 2 with the right Hobbs readings, or with both Hobbs "
        "readings left out and its flight_hours"
    )
    by_card = decide_bill(told, aircraft(with_digits(OWNED, "hobbs", 4)))
    logged = decide_bill(replace(told, revision=2, hobbs=Meter()), aircraft(OWNED))
    assert isinstance(by_card, Bill)
    assert isinstance(logged, Bill)
    assert (by_card.hours.billed, logged.hours.billed) == (11, 13)
    ordinary = decide_bill(flight(hobbs=Meter(out=12_549, in_=12_536)), aircraft(OWNED))
    assert isinstance(ordinary, FlightRefusal)
    assert "rolled over" not in ordinary.sentence
