import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.money import format_minor, half_up, parse_minor, split_by_largest_remainder

AMOUNTS = st.integers(-(10**15), 10**15)


@pytest.mark.parametrize(
    ("numerator", "denominator", "expected"),
    [
        (0, 3, 0),
        (1, 2, 1),
        (-1, 2, -1),
        (3, 2, 2),
        (149, 100, 1),
        (150, 100, 2),
        (-150, 100, -2),
        (-149, 100, -1),
    ],
)
def test_halves_round_away_from_zero(numerator: int, denominator: int, expected: int) -> None:
    assert half_up(numerator, denominator) == expected


@given(AMOUNTS, st.integers(1, 10**6))
def test_rounding_is_never_off_by_more_than_a_half(numerator: int, denominator: int) -> None:
    assert abs(2 * (half_up(numerator, denominator) * denominator - numerator)) <= denominator


@given(AMOUNTS, st.lists(st.integers(0, 10**6), min_size=1, max_size=20).filter(any))
def test_parts_sum_to_the_whole_and_are_within_one_unit_of_their_share(
    total: int, weights: list[int]
) -> None:
    parts = split_by_largest_remainder(total, weights)
    assert sum(parts) == total
    whole = sum(weights)
    assert all(
        abs(part * whole - total * weight) < whole for part, weight in zip(parts, weights, strict=True)
    )


@pytest.mark.parametrize(
    ("total", "weights", "parts"),
    [(100, [1, 1, 1], [34, 33, 33]), (-1, [1, 1], [-1, 0]), (5, [0, 1], [0, 5])],
)
def test_left_over_units_go_to_the_largest_remainder_and_then_to_the_first(
    total: int, weights: list[int], parts: list[int]
) -> None:
    assert split_by_largest_remainder(total, weights) == parts


@pytest.mark.parametrize("weights", [[], [0], [1, -1]])
def test_weights_that_split_nothing_are_refused(weights: list[int]) -> None:
    with pytest.raises(ValueError, match="weights"):
        split_by_largest_remainder(1, weights)


@given(AMOUNTS, st.sampled_from(["USD", "JPY", "KWD"]))
def test_an_amount_reads_back_as_it_was_written(amount: int, currency: str) -> None:
    assert parse_minor(format_minor(amount, currency), currency) == amount


@pytest.mark.parametrize("text", ["", "-", ".5", "1.234", "1,000", "1e3", " 1", "١", "1.-5", "NaN", "+1"])
def test_an_amount_that_is_not_exact_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not an amount of USD"):
        parse_minor(text, "USD")
