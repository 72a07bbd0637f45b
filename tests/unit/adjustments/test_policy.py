"""Who must approve a correction: a table of the policy, whose last columns are what it asks for."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.persons import same_person
from services.adjustments.domain.policy import Need, Policy, judge, waits_for

NOW = datetime(2026, 5, 23, 3, tzinfo=UTC)  # 23:00 of May 22nd in New York
NEW_YORK = "America/New_York"
AMOUNT, LARGE, OLD, STUDENT = Need.AMOUNT, Need.LARGE_AMOUNT, Need.OLD_FLIGHT, Need.STUDENT_CHANGED


def asked(
    differences: dict[str, int],
    *,
    flown_on: date = date(2026, 5, 22),
    student_changed: bool = False,
    policy: Policy | None = None,
) -> tuple[tuple[Need, ...], int]:
    found = judge(
        differences,
        currency="USD",
        flown_on=flown_on,
        student_changed=student_changed,
        policy=policy or Policy(),
        now=NOW,
        zone=NEW_YORK,
    )
    return found.needs, found.approvals_needed


@pytest.mark.parametrize(
    ("largest", "needs", "persons"),
    [(1, (), 0), (5_000, (), 0), (5_001, (AMOUNT,), 1), (50_000, (AMOUNT,), 1), (50_001, (LARGE,), 2)],
)
def test_an_amount_above_a_limit_needs_persons(largest: int, needs: tuple[Need, ...], persons: int) -> None:
    assert asked({"student:a": -largest, "platform:school": largest}) == (needs, persons)


def test_a_swap_between_two_payees_is_measured_although_it_sums_to_nothing() -> None:
    assert asked({"instructor:a": 20_000, "instructor:b": -20_000}) == ((AMOUNT,), 1)


@pytest.mark.parametrize(("day", "needs"), [(22, ()), (21, (OLD,))])
def test_a_flight_is_old_by_the_schools_calendar(day: int, needs: tuple[Need, ...]) -> None:
    """In New York it is still May 22nd: thirty days after April 22nd."""
    assert asked({"student:a": 1, "platform:school": -1}, flown_on=date(2026, 4, day))[0] == needs


def test_a_changed_student_needs_a_person() -> None:
    assert asked({"student:a": 1, "student:b": -1}, student_changed=True) == ((STUDENT,), 1)


def test_every_reason_is_named_and_two_persons_are_enough() -> None:
    old = date(2025, 1, 1)
    assert asked({"a": 90_000, "b": -90_000}, flown_on=old, student_changed=True) == (
        (LARGE, OLD, STUDENT),
        2,
    )


def test_a_second_limit_below_the_first_asks_for_two_at_once() -> None:
    policy = Policy(approve_above=5_000, second_approver_above=100)
    assert asked({"a": 101, "b": -101}, policy=policy) == ((LARGE,), 2)


def test_a_limit_of_nothing_lets_nothing_through() -> None:
    assert asked({"a": 1, "b": -1}, policy=Policy(approve_above=0))[1] == 1


def test_it_waits_for_the_policys_days_and_says_for_whom() -> None:
    found = judge(
        {"a": 6_000, "b": -6_000},
        currency="USD",
        flown_on=date(2026, 5, 22),
        student_changed=False,
        policy=Policy(expires_after_days=3),
        now=NOW,
        zone=NEW_YORK,
    )
    assert found.expires_at - NOW == timedelta(days=3)
    assert found.sentence == "waits for one approval: the largest difference is 60.00 USD"
    assert waits_for(2, given=1) == "a second approval, of another person"


@given(st.dictionaries(st.sampled_from("abcde"), st.integers(-(10**6), 10**6), min_size=1))
def test_more_money_never_needs_fewer_persons(differences: dict[str, int]) -> None:
    doubled = {wallet: 2 * amount for wallet, amount in differences.items()}
    assert asked(doubled)[1] >= asked(differences)[1]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("ann", "Ann", True),
        ("ann", " ann ", True),
        ("ANN", "ａｎｎ", True),
        ("Strauß", "STRAUSS", True),
        ("ann", "anna", False),
    ],
)
def test_names_are_one_persons_however_they_are_written(one: str, other: str, same: bool) -> None:
    assert same_person(one, other) is same
