"""What is done about bills that are overdue: when, in which order, and what stops it."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.receivables.domain.dunning import (
    Decision,
    Done,
    Policy,
    Standing,
    Step,
    decide,
    in_words,
    policy_of,
    upcoming,
)

MONDAY = date(2026, 6, 8)
NOON = datetime(2026, 6, 8, 12, tzinfo=UTC)


def step(name: str, days: int | None = None, balance: int | None = None, action: Any = "remind") -> Step:
    return Step(name=name, action=action, days_overdue=days, balance=balance)


POLICY = Policy(
    effective_from=date(2026, 1, 1),
    version=1,
    steps=(
        step("first", 3),
        step("card", 7, action="charge_card"),
        step("large", balance=50_000, action="call"),
        step("block", 14, action="block_dispatch"),
        step("last", 30, action="collection"),
    ),
    minimum=1_000,
    days_between=2,
)
ANNA = Standing(
    student="anna",
    currency="USD",
    total=10_000,
    oldest_due=MONDAY - timedelta(days=3),
    bills=1,
    disputed=0,
    in_question=False,
    charge_under_way=False,
    chargeable=True,
    run=1,
    running=True,
    hold=None,
    until=None,
    done=(),
)


def overdue(days: int, *done: tuple[str, int], **changes: Any) -> Standing:
    """Anna, so many days overdue; done: steps, and how many days ago."""
    was = tuple(Done(name, MONDAY - timedelta(days=ago)) for name, ago in done)
    return replace(ANNA, oldest_due=MONDAY - timedelta(days=days), done=was, **changes)


def does(standing: Standing, at: datetime = NOON, policy: Policy = POLICY) -> str | None:
    """The step that is done, or what stops it."""
    decision = decide(policy, standing, at)
    return decision.step.name if decision.step else decision.stopped


@pytest.mark.parametrize(
    ("standing", "expected"),
    [
        (overdue(2), None),
        (overdue(3), "first"),
        (overdue(60), "first"),  # nobody hears of collection before a reminder
        (overdue(60, ("first", 1)), None),  # two days between steps
        (overdue(60, ("first", 2)), "card"),
        (overdue(60, ("first", 2), chargeable=False), "block"),  # what does nothing is passed over
        (overdue(5, ("first", 2)), None),
        (overdue(5, ("first", 2), total=50_000), "large"),
        (overdue(60, ("first", 9), ("block", 5), total=90_000), "last"),  # and never gone back to
        (overdue(60, ("first", 30), ("card", 20), ("large", 15), ("block", 9), ("last", 2)), None),
        (overdue(3, total=999), "too_little"),
        (overdue(3, hold="paused"), "paused"),
        (overdue(3, hold="promised", until=MONDAY), "promised"),
        (overdue(3, hold="promised", until=MONDAY - timedelta(days=1)), "first"),
        (overdue(3, disputed=1), "disputed"),
        (overdue(3, in_question=True), "in_question"),
        (overdue(3, charge_under_way=True), "charge_under_way"),
        (overdue(3, ("first", 400), running=False), "first"),  # what an earlier run did does not count
    ],
)
def test_the_next_step_of_the_book_is_done_once_and_what_stops_it_is_named(
    standing: Standing, expected: str | None
) -> None:
    assert does(standing) == expected


@pytest.mark.parametrize(
    ("at", "quiet"),
    [
        (datetime(2026, 6, 8, 8, 59, tzinfo=UTC), True),
        (datetime(2026, 6, 8, 9, tzinfo=UTC), False),
        (datetime(2026, 6, 8, 17, 59, 59, tzinfo=UTC), False),
        (datetime(2026, 6, 8, 18, tzinfo=UTC), True),
        (datetime(2026, 6, 7, 12, tzinfo=UTC), True),  # a Sunday
        (datetime(2026, 6, 9, 12, tzinfo=UTC), True),  # a holiday
    ],
)
def test_nobody_is_asked_at_night_on_a_weekend_or_on_a_holiday(at: datetime, quiet: bool) -> None:
    policy = replace(POLICY, holidays=frozenset({date(2026, 6, 9)}))
    assert does(overdue(20), at, policy) == ("quiet" if quiet else "first")


@pytest.mark.parametrize(
    ("at", "expected", "lapses"),
    [
        (datetime(2026, 6, 6, 23, 59, tzinfo=UTC), "promised", False),  # its last minute
        (datetime(2026, 6, 7, 0, 0, tzinfo=UTC), "quiet", True),  # over at midnight, on a Sunday
        (datetime(2026, 6, 8, 12, tzinfo=UTC), "quiet", True),  # the Monday is a holiday
        (datetime(2026, 6, 9, 8, 59, tzinfo=UTC), "quiet", True),
        (datetime(2026, 6, 9, 9, tzinfo=UTC), "first", True),
    ],
)
def test_a_promise_that_ends_before_days_of_rest_is_followed_up_on_the_first_working_morning(
    at: datetime, expected: str, lapses: bool
) -> None:
    """A promise for a Saturday, with a holiday on the Monday after."""
    policy = replace(POLICY, holidays=frozenset({MONDAY}))
    standing = overdue(20, hold="promised", until=date(2026, 6, 6))
    assert (does(standing, at, policy), decide(policy, standing, at).lapses) == (expected, lapses)


def test_a_run_begins_with_what_is_overdue_and_ends_with_the_last_of_it() -> None:
    new = replace(ANNA, run=0, running=False)
    assert decide(POLICY, new, NOON).run == "begins"
    assert decide(POLICY, ANNA, NOON).run == "goes_on"
    paid = Decision(run="ends", lapses=False, stopped=None, step=None)
    assert decide(POLICY, replace(ANNA, total=0), NOON) == paid
    assert decide(POLICY, replace(new, total=0), NOON).run == "none"
    assert decide(Policy(), new, NOON).run == "none"


def test_one_sentence_says_all_that_is_overdue() -> None:
    said = in_words(POLICY.steps[0], overdue(1, total=31_550), MONDAY)
    assert said == "315.50 USD of 1 bill are overdue, the oldest since 1 day: please pay it"


def test_the_policy_is_read_from_the_card_as_it_is_stored() -> None:
    card = {
        "limit": 1,
        "dunning_steps": [{"name": "first", "action": "remind", "days_overdue": 3, "balance": None}],
        "dunning_holidays": ["2026-12-25"],
        "dunning_from_hour": 8,
    }
    policy = policy_of(card, MONDAY, 7)
    assert (policy.steps, policy.from_hour, policy.until_hour) == ((step("first", 3),), 8, 18)
    assert policy.is_quiet_day(date(2026, 12, 25))
    assert policy_of({}, MONDAY, 7).steps == ()


DAYS = st.integers(-400, 400).map(lambda days: MONDAY + timedelta(days=days))
STEPS = st.builds(
    Step,
    name=st.sampled_from(["a", "b", "c", "d"]),
    action=st.sampled_from(["remind", "charge_card", "block_dispatch", "call", "collection"]),
    days_overdue=st.none() | st.integers(1, 60),
    balance=st.none() | st.integers(1, 5_000),
)
POLICIES = st.builds(
    Policy,
    effective_from=st.just(MONDAY),
    version=st.just(1),
    steps=st.lists(STEPS, max_size=4, unique_by=lambda one: one.name).map(tuple),
    minimum=st.integers(0, 2_000),
    from_hour=st.integers(0, 12),
    until_hour=st.integers(13, 24),
    on_weekends=st.booleans(),
    holidays=st.frozensets(DAYS, max_size=5),
    days_between=st.integers(1, 5),
)


@given(
    policy=POLICIES,
    days=st.lists(st.tuples(st.integers(0, 23), st.integers(-1_000, 4_000), st.booleans()), max_size=40),
    holds=st.lists(st.sampled_from([None, "paused", "promised"]), min_size=40, max_size=40),
    disputes=st.lists(st.booleans(), min_size=40, max_size=40),
)
def test_whatever_happens_each_step_is_done_once_in_a_run_and_never_when_it_is_stopped(
    policy: Policy, days: list[tuple[int, int, bool]], holds: list[Any], disputes: list[bool]
) -> None:
    known, ended = replace(ANNA, run=0, running=False), 0
    for number, (hour, total, late) in enumerate(days):
        today = MONDAY + timedelta(days=number)
        at = datetime(today.year, today.month, today.day, hour, tzinfo=UTC)
        until = today - timedelta(days=late) if holds[number] == "promised" else None
        now = replace(
            known, total=max(total, 0), oldest_due=MONDAY - timedelta(days=9) if total > 0 else None,
            hold=holds[number], until=until, disputed=int(disputes[number]),
        )  # fmt: skip
        decision = decide(policy, now, at)
        done = now.done if now.running else ()
        if decision.step is not None:
            assert total >= max(policy.minimum, 1)
            assert not now.disputed
            assert now.hold is None or (now.hold == "promised" and until is not None and until < today)
            assert policy.from_hour <= hour < policy.until_hour
            assert today not in policy.holidays
            assert policy.on_weekends or today.isoweekday() < 6
            assert decision.step.name not in {one.step for one in done}
            assert all((today - one.on).days >= policy.days_between for one in done)
            places = [policy.steps.index(decision.step)] + [
                place for place, one in enumerate(policy.steps) for d in done if d.step == one.name
            ]
            assert places[0] == max(places)
            done = (*done, Done(decision.step.name, today))
        assert (decision.run == "ends") == (now.running and total <= 0)
        ended += decision.run == "ends"
        known = replace(
            now,
            run=now.run + (decision.run == "begins"),
            running=decision.run in ("begins", "goes_on"),
            done=done if decision.run != "ends" else (),
        )
    assert known.run - ended == int(known.running)


@pytest.mark.parametrize(
    ("standing", "expected"),
    [
        (overdue(1), ("first", MONDAY + timedelta(days=2))),
        (overdue(60), ("first", MONDAY)),
        (overdue(4, ("first", 1)), ("card", MONDAY + timedelta(days=3))),
        (overdue(60, ("first", 1)), ("card", MONDAY + timedelta(days=1))),  # two days between steps
        (overdue(4, ("first", 1), chargeable=False), ("block", MONDAY + timedelta(days=10))),
        (overdue(4, ("first", 1), total=60_000), ("large", MONDAY + timedelta(days=1))),
        (overdue(9, ("first", 1), ("card", 0)), ("block", MONDAY + timedelta(days=7))),  # 5 would be Saturday
        (overdue(60, ("last", 5)), None),
    ],
)
def test_the_step_that_follows_is_known_with_its_day(
    standing: Standing, expected: tuple[str, date] | None
) -> None:
    found = upcoming(POLICY, standing, MONDAY)
    assert (found and (found[0].name, found[1])) == expected


def test_a_step_that_waits_for_a_larger_balance_has_no_day() -> None:
    policy = replace(POLICY, steps=(step("large", balance=50_000),))
    found = upcoming(policy, overdue(3), MONDAY)
    assert found == (policy.steps[0], None)


@given(
    days=st.integers(1, 40),
    total=st.sampled_from((2_000, 60_000)),
    chargeable=st.booleans(),
    done=st.lists(st.sampled_from(POLICY.steps), unique=True, max_size=3),
    ago=st.integers(0, 3),
)
def test_what_follows_is_what_will_be_done_if_nothing_changes(
    days: int, total: int, chargeable: bool, done: list[Step], ago: int
) -> None:
    standing = overdue(days, *((one.name, ago) for one in done), total=total, chargeable=chargeable)
    found = upcoming(POLICY, standing, MONDAY)
    for later in range(60):
        at = NOON + timedelta(days=later)
        decision = decide(POLICY, standing, at)
        if decision.step is not None:
            assert found == (decision.step, at.date())
            return
    assert found is None
