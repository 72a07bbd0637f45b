"""When a revision of a flight is due, and what becomes of it. Rules, without tables."""

from dataclasses import replace
from datetime import UTC, date, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.billing.domain.billing import decide_bills
from services.billing.domain.bills import Bill, Billed, FlightRefusal, Repeat
from services.billing.domain.flights import Flight
from services.billing.domain.rates import Book
from services.billing.domain.revisions import (
    CancelledUnbilled,
    Due,
    FiledBill,
    History,
    Revision,
    Waits,
    decide_revision,
    is_by_first_bill,
    judge_turn,
)
from tests.unit.billing.given import book, flight

FILED = FiledBill(
    bill_id=UUID(int=1),
    flight_id="F1",
    revision=1,
    student="student-01",
    billed_on=date(2026, 5, 22),
    occurred_at=datetime(2026, 5, 22, 16, 45, tzinfo=UTC),
    currency="USD",
    school_version=3,
    entries=(("student:student-01", -100), ("platform:school", 100)),
)


def correction(revision: int, facts: Flight | None = None, **changes: object) -> Revision:
    said = Revision(flight_id="F1", revision=revision, flight=facts, reason="digits", made_by="dispatch")
    return replace(said, **changes)  # type: ignore[arg-type]


def history(*decided: int, refused: tuple[int, ...] = (), flights: tuple[int, ...] = ()) -> History:
    """Decided revisions (the first is the first bill), refused corrections, refused flights."""
    return History(
        first=replace(FILED, revision=decided[0]) if decided else None,
        in_force=replace(FILED, revision=decided[-1]) if decided else None,
        fingerprints=dict.fromkeys(decided, "other"),
        refused=frozenset(refused) | frozenset(flights),
        refused_flights=frozenset(flights),
    )


@pytest.mark.parametrize(
    ("revision", "known", "turn"),
    [
        (2, history(), Waits(missing=None)),
        (2, history(1), Due()),
        (3, history(1), Waits(missing=2)),
        (5, history(1, 2), Waits(missing=3)),
        (3, history(1, refused=(2,)), Due()),
        (4, history(1, refused=(2,)), Waits(missing=3)),
        (4, history(1, refused=(2, 3)), Due()),
        (2, history(flights=(1,)), Due()),
        (3, history(flights=(1, 2)), Due()),
        (3, history(flights=(1,)), Waits(missing=2)),
        (3, history(flights=(1,), refused=(2,)), Due()),
        (8, history(flights=(7,)), Due()),
        (8, history(7), Due()),
        (2, history(flights=(3,)), Waits(missing=None)),
        (9_999, history(1), Waits(missing=2)),
    ],
)
def test_a_revision_is_due_when_none_is_missing_before_it(
    revision: int, known: History, turn: Due | Waits
) -> None:
    assert judge_turn(correction(revision), known) == turn


@pytest.mark.parametrize(("revision", "reason"), [(3, "billed_with_other_content"), (2, "revision_passed")])
def test_what_is_decided_or_passed_over_is_refused(revision: int, reason: str) -> None:
    found = judge_turn(correction(revision), history(1, 3, refused=(2,)))
    assert isinstance(found, FlightRefusal)
    assert found.reason == reason


def test_the_same_content_again_is_a_repeat() -> None:
    said = correction(2)
    known = replace(history(1, 2), fingerprints={1: "other", 2: said.fingerprint()})
    assert isinstance(judge_turn(said, known), Repeat)


@given(st.permutations(range(2, 9)), st.sets(st.integers(2, 8)))
def test_whatever_order_revisions_come_in_they_are_due_in_theirs(order: list[int], refused: set[int]) -> None:
    """A model of a flight: what came and is due is applied, or refused, at once."""
    decided, dead, waiting = [1], set[int](), set[int]()
    for revision in order:
        waiting.add(revision)
        while due := [
            r for r in waiting if judge_turn(correction(r), history(*decided, refused=(*dead,))) == Due()
        ]:
            assert len(due) == 1
            waiting.remove(due[0])
            if due[0] in refused:
                dead.add(due[0])
            else:
                decided.append(due[0])
    assert waiting == set()
    assert decided == [1, *sorted(set(range(2, 9)) - refused)]


def test_every_word_of_a_revision_is_its_content() -> None:
    said = correction(2, flight())
    others = [
        correction(2),
        correction(3, flight()),
        correction(2, flight(dual=14)),
        correction(2, flight(not_tenths=("dual_hours 1.55",))),
        correction(2, flight(), reason="rain"),
        correction(2, flight(), made_by="ann"),
        correction(2, flight(), priced_by="book"),
    ]
    assert len({one.fingerprint() for one in [said, *others]}) == len(others) + 1


def test_a_cancelled_bill_is_of_the_day_and_student_of_the_bill_it_takes_the_place_of() -> None:
    bill = decide_revision(correction(2), history(1), Book([], version=9))
    assert isinstance(bill, Bill)
    assert (bill.charge, bill.margin, bill.entries(), bill.lines, bill.legs) == (0, 0, [], (), ())
    assert (bill.flight.student, bill.billed_on) == ("student-01", date(2026, 5, 22))
    assert (bill.occurred_at, bill.school_version) == (FILED.occurred_at, 3)
    assert bill.correction is not None
    assert (bill.correction.corrects, bill.correction.kind) == (FILED.bill_id, "cancelled")


def test_a_flight_without_a_bill_is_cancelled_without_one() -> None:
    assert isinstance(
        decide_revision(correction(2), history(flights=(1,)), Book([], version=9)), CancelledUnbilled
    )


def test_the_first_bill_of_a_refused_flight_corrects_nothing() -> None:
    bill = decide_revision(correction(2, flight(revision=2)), history(flights=(1,)), book())
    assert isinstance(bill, Bill)
    assert bill.correction is not None
    assert bill.correction.corrects is None


def test_only_a_flight_with_a_bill_is_priced_by_it() -> None:
    said = correction(2, flight())
    assert is_by_first_bill(said, history(1))
    assert not is_by_first_bill(said, history(flights=(1,)))
    assert not is_by_first_bill(replace(said, priced_by="book"), history(1))


@pytest.mark.parametrize(("revision", "billed"), [(1, False), (2, False), (3, True)])
def test_a_cancelled_flight_is_billed_only_as_a_later_revision(revision: int, billed: bool) -> None:
    facts = flight(revision=revision)
    cancelled = Billed(revision=2, fingerprint="-", cancelled=True)
    (result,) = decide_bills([facts], book(), {facts.flight_id: cancelled})
    assert isinstance(result, Bill) is billed
    if isinstance(result, FlightRefusal):
        assert result.reason == "flight_is_cancelled"
