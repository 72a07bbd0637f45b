"""What runs when, in which order, and what is short until when."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from services.reserves.domain.forecast import Coming, Due, Forecast, forecast, of_day, usual

FRIDAY = datetime(2026, 5, 22, 12, tzinfo=UTC)


def hours(number: float) -> datetime:
    return FRIDAY + timedelta(hours=number)


def due(name: str, amount: int, *, after: float = 0, exempt: bool = False) -> Due:
    return Due(name=name, wallet=f"instructor:{name}", amount=amount, at=hours(after), exempt=exempt)


def ran(looked: Forecast) -> list[tuple[str, datetime | None]]:
    return [(run.due.name, run.at) for run in looked.runs]


def test_the_oldest_go_first_and_the_next_waits_for_money_that_is_pending() -> None:
    looked = forecast(
        FRIDAY, 50_000, 30_000, [Coming(at=hours(30), amount=9_000)], [due("a", 15_000), due("b", 9_000)]
    )
    assert ran(looked) == [("a", hours(0)), ("b", hours(30))]
    assert [(run.due.name, run.short) for run in looked.runs] == [("a", 0), ("b", 4_000)]
    [short] = looked.shortages
    assert (short.since, short.until, short.most) == (hours(0), hours(30), 4_000)
    assert (looked.top_up, looked.top_up_by, looked.hours_to_shortfall) == (4_000, hours(0), 0)


def test_behind_the_oldest_that_does_not_fit_only_exempt_ones_go() -> None:
    looked = forecast(
        FRIDAY, 31_000, 30_000, [], [due("a", 2_000), due("b", 500), due("c", 400, exempt=True)]
    )
    assert ran(looked) == [("c", hours(0)), ("a", None), ("b", None)]
    assert (looked.top_up, looked.shortages[0].until) == (1_900, None)


def test_a_period_that_ends_on_monday_is_short_only_then() -> None:
    looked = forecast(FRIDAY, 40_000, 30_000, [], [due("weekly", 12_000, after=62.5)])
    assert (looked.hours_to_shortfall, looked.top_up, looked.top_up_by) == (63, 2_000, hours(63))


def test_with_enough_nothing_is_short() -> None:
    looked = forecast(FRIDAY, 40_000, 30_000, [], [due("a", 10_000)], hours=24)
    assert (looked.shortages, looked.top_up, looked.top_up_by, looked.hours_to_shortfall) == ((), 0, None, 24)


def test_what_is_expected_is_told_apart() -> None:
    coming = [Coming(at=hours(1), amount=5), Coming(at=hours(1), amount=7, expected=True)]
    looked = forecast(FRIDAY, 0, 0, coming, [], hours=3)
    assert [(hour.came, hour.expected, hour.free) for hour in looked.hours] == [
        (0, 0, 0),
        (5, 7, 12),
        (0, 0, 12),
    ]


def test_a_weekday_is_the_median_of_its_likes_and_days_without_payments_count() -> None:
    today = date(2026, 5, 22)
    fridays = [today - timedelta(days=7 * week) for week in range(1, 9)]
    paid = dict(zip(fridays, (100, 0, 300, 200, 0, 0, 900, 50), strict=True))
    assert usual(paid, date(2020, 1, 1), today)[5] == 50
    assert usual(paid, fridays[2], today)[5] == 100
    assert usual(paid, today, today)[5] == 0


amounts = st.integers(min_value=1, max_value=50_000)
times = st.floats(min_value=0, max_value=90)


@given(
    free=st.integers(min_value=-20_000, max_value=90_000),
    coming=st.lists(st.tuples(times, amounts), max_size=6),
    dues=st.lists(st.tuples(times, amounts), max_size=8),
)
def test_paid_in_by_then_the_least_top_up_lets_everything_go_when_it_is_due(
    free: int, coming: list[tuple[float, int]], dues: list[tuple[float, int]]
) -> None:
    money = [Coming(at=hours(at), amount=amount) for at, amount in coming]
    owed = [due(f"t{n}", amount, after=at) for n, (at, amount) in enumerate(dues)]
    looked = forecast(FRIDAY, free, 10_000, money, owed, hours=100)
    for before, after in pairwise(looked.hours):
        assert after.free == before.free + after.came + after.expected - after.sent
    assert all(hour.sent == 0 or hour.free >= 10_000 for hour in looked.hours)
    if looked.top_up_by is None:
        assert all(run.at is not None and run.short == 0 for run in looked.runs)
        return
    enough = [*money, Coming(at=looked.top_up_by, amount=looked.top_up)]
    assert forecast(FRIDAY, free, 10_000, enough, owed, hours=100).top_up == 0
    less = [*money, Coming(at=looked.top_up_by, amount=looked.top_up - 1)]
    assert forecast(FRIDAY, free, 10_000, less, owed, hours=100).top_up == 1


def test_of_a_day_is_foreseen_what_its_remaining_hours_say() -> None:
    midnight = datetime(2026, 5, 23, tzinfo=UTC)
    looked = forecast(
        FRIDAY,
        20_000,
        5_000,
        [Coming(at=hours(3), amount=1_000), Coming(at=hours(12), amount=9_000)],
        [due("a", 12_000), due("b", 5_000, after=2), due("c", 1_000, after=12)],
    )
    seen = of_day(looked, {5: 700}, "USD", FRIDAY.date(), midnight)
    assert (seen.free, seen.sent, seen.payments, seen.short) == (9_000, 12_000, 700, 2_000)
    assert (seen.made_at, seen.ends_at) == (FRIDAY, midnight)
