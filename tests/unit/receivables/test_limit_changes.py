"""When limits rise and fall by policy: rules as tables."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from services.receivables.domain.limit_changes import (
    Change,
    Policy,
    Setback,
    Standing,
    moved,
    review,
    whole_months,
)

TODAY = date(2026, 7, 10)
POLICY = Policy(
    raises="proposed",
    raise_by=200,
    raise_up_to=1_000,
    raise_after_months=6,
    raise_after_flights=10,
    falls="automatic",
    fall_by=300,
    fall_down_to=100,
    allowed_by_one_up_to=199,
)
GOOD = Standing(
    student="anna",
    currency="USD",
    limit=500,
    book_limit=500,
    card_from=None,
    card_version=None,
    fixed=False,
    known_from=date(2026, 1, 10),
    late_until=None,
    flights=10,
    disputes_open=0,
    set_back_on=None,
    changed_on=None,
    changes=0,
)


def limits(policy: Policy, standing: Standing, today: date = TODAY) -> list[tuple[int, int, str]]:
    return [(one.from_limit, one.to_limit, one.state) for one in review(policy, standing, today)[1]]


@pytest.mark.parametrize(
    ("known", "found"),
    [
        ({}, [(500, 700, "proposed")]),
        ({"limit": 900}, [(900, 1_000, "proposed")]),
        ({"limit": 1_000}, []),
        ({"limit": None}, []),
        ({"fixed": True}, []),
        ({"flights": 9}, []),
        ({"disputes_open": 1}, []),
        ({"known_from": date(2026, 1, 11)}, []),
        ({"known_from": None}, []),
        ({"late_until": date(2026, 1, 11)}, []),
        ({"late_until": date(2026, 1, 9)}, [(500, 700, "proposed")]),
        ({"set_back_on": date(2026, 3, 1)}, []),
        ({"changed_on": date(2026, 3, 1)}, []),
    ],
)
def test_a_limit_rises_for_what_the_policy_asks(known: dict[str, Any], found: Any) -> None:
    assert limits(POLICY, replace(GOOD, **known)) == found


def test_each_setback_lowers_the_limit_once_down_to_the_least() -> None:
    told = tuple(Setback(cause=f"declined:day:{n}", on=TODAY) for n in range(3))
    fallen = replace(GOOD, setbacks=told, set_back_on=TODAY)
    assert limits(POLICY, fallen) == [(500, 200, "in_force"), (200, 100, "in_force")]
    assert limits(replace(POLICY, falls="proposed"), fallen) == [(500, 200, "proposed")]
    assert limits(replace(POLICY, falls="off"), fallen) == []


def test_a_proposed_rise_lapses_with_its_evidence() -> None:
    [found] = review(POLICY, GOOD, TODAY)[1]
    proposed = replace(GOOD, open=found, changes=1)
    assert review(POLICY, proposed, date(2026, 8, 1)) == (False, ())
    assert review(POLICY, replace(proposed, late_until=TODAY), TODAY) == (True, ())
    assert review(POLICY, replace(proposed, limit=400), TODAY)[0]
    fallen = replace(proposed, set_back_on=TODAY, setbacks=(Setback(cause="bounced:1", on=TODAY),))
    lapses, instead = review(POLICY, fallen, TODAY)
    assert (lapses, [(one.number, one.to_limit) for one in instead]) == (True, [(2, 200)])


def test_a_large_rise_needs_two_persons_and_a_fall_one() -> None:
    [rise] = review(POLICY, GOOD, TODAY)[1]
    first = moved(rise, "accept", "ann", POLICY)
    assert isinstance(first, Change)
    assert (first.state, first.needs_second, first.accepted_by) == ("waits", True, "ann")
    second = moved(first, "accept", "bob", POLICY)
    assert isinstance(second, Change)
    assert second.state == "in_force"
    assert isinstance(moved(second, "refuse", "bob", POLICY), str)
    fall = moved(replace(rise, to_limit=100), "accept", "ann", POLICY)
    assert isinstance(fall, Change)
    assert fall.state == "in_force"


@pytest.mark.parametrize(
    ("since", "today", "months"),
    [
        (date(2026, 1, 10), date(2026, 7, 9), 5),
        (date(2026, 1, 10), date(2026, 7, 10), 6),
        (date(2025, 12, 31), date(2026, 2, 28), 2),
        (date(2025, 8, 31), date(2026, 2, 27), 5),
        (date(2025, 11, 30), date(2025, 12, 31), 1),
    ],
)
def test_months_end_with_their_day_or_the_last_one(since: date, today: date, months: int) -> None:
    assert whole_months(since, today) == months
