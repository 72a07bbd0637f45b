"""Events to facts and back."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from fleet.envelope import first_cause, uuid7
from schemas.flights import FlightCompleted
from schemas.topics import TOPICS
from services.billing.domain.billing import decide_bill
from services.billing.domain.bills import Bill
from services.billing.domain.flights import Flight, Meter, flight_from_facts
from services.billing.wire.events import flight_completed, flight_from_event, messages
from tests.support.records import record
from tests.unit.billing.given import book, flight, solo


@pytest.mark.parametrize(
    ("written", "tenths", "unread"),
    [
        ("1.3", 13, ()),
        ("1.30", 13, ()),
        ("13e-1", 13, ()),
        ("0", 0, ()),
        ('"1.3"', 13, ()),
        ('"-0.0"', 0, ()),
        ("2", 20, ()),
        ("0.7", 7, ()),
        ("1.35", 0, ("dual_hours 1.35",)),
        ("0.30000000000000004", None, None),
        ('"0.31"', 0, ("dual_hours 0.31",)),
    ],
)
def test_hours_are_read_in_tenths_and_never_rounded(
    written: str, tenths: int | None, unread: tuple[str, ...] | None
) -> None:
    body = f'{{"flight_id": "f", "student": "s", "date": "2026-05-22", "dual_hours": {written}}}'
    if tenths is None:
        with pytest.raises(Exception, match="dual_hours"):
            flight_completed(record("flight.completed", body.encode()))
        return
    read = flight_completed(record("flight.completed", body.encode()))
    assert (read.dual, read.not_tenths) == (tenths, unread)


def test_the_examples_of_the_published_schema_are_billed() -> None:
    for example in FlightCompleted.model_config["json_schema_extra"]["examples"]:  # type: ignore[index,union-attr]
        assert isinstance(
            decide_bill(flight_from_event(FlightCompleted.model_validate(example)), book()), Bill
        )


@pytest.mark.parametrize(
    "facts",
    [
        flight(),
        solo(13),
        flight(departed_at=None, arrived_at=None),
        flight(given_date=None, tach=Meter(out=1, in_=2), logged=None),
        Flight(flight_id="f", revision=2, student="s", given_date=date(2026, 5, 22)),
        flight(departed_at=datetime(2026, 5, 22, 15, 10, 30, 123456, tzinfo=UTC)),
    ],
)
def test_the_facts_a_bill_keeps_are_the_facts_it_was_made_from(facts: Flight) -> None:
    again = flight_from_facts(facts.facts())
    assert again == facts
    assert again.fingerprint() == facts.fingerprint()


@pytest.mark.parametrize(
    "change",
    [
        {"student": "student-02"},
        {"instructor": None},
        {"aircraft": None},
        {"logged": 12},
        {"logged": None},
        {"dual": 14},
        {"ground": 4},
        {"hobbs": Meter(out=12536)},
        {"tach": Meter(in_=1)},
        {"arrived_at": None},
        {"departed_at": None},
        {"given_date": date(2026, 5, 23)},
    ],
)
def test_any_other_fact_is_other_content(change: dict[str, object]) -> None:
    assert replace(flight(), **change).fingerprint() != flight().fingerprint()  # type: ignore[arg-type]


def test_a_bill_is_announced_before_its_journal_is_asked_for_and_both_are_of_the_published_models() -> None:
    bill = decide_bill(flight(), book())
    assert isinstance(bill, Bill)
    cause = first_cause()
    billed, asked = messages([(uuid7(), bill, cause)])
    assert [(m.topic, m.key) for m in (billed, asked)] == [
        ("flight.billed", "F123"),
        ("journal.requested", "flight:F123:1"),
    ]
    for message in (billed, asked):
        assert isinstance(message.event, TOPICS[message.topic].model)
        assert message.cause == cause
