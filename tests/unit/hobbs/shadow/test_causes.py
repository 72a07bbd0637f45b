"""Each difference has one cause, the first that explains it to the cent; none is invented."""

import pytest

from hobbs.shadow.causes import HOURS, RATE, ROUNDING, SEVERAL, TAX, UNKNOWN, cause_between, cause_of
from hobbs.shadow.figures import Figure, Part

# A 1.3 h flight at 165.00 with 5.6 % tax on it, 1.5 h of instruction at 70.00: 214.50 + 12.01 + 105.00.
RENTAL = Part("rental", 21_450, 13, 16_500, 56_000)
LESSON = Part("instruction", 10_500, 15, 7_000)
PARTS = (RENTAL, LESSON)
HERE = Figure("student", 33_151, 13, 16_500, 1_201)


def other_rates(kind: str) -> list[int]:
    return {"rental": [15_900, 16_500], "instruction": [6_500, 7_000]}[kind]


@pytest.mark.parametrize(
    ("there", "cause"),
    [
        # said by the other system
        (Figure("student", 31_409, 12, 16_500, 1_109), HOURS),
        (Figure("student", 32_328, 13, 15_900, 1_158), RATE),
        (Figure("student", 31_950, 13, 16_500, 0), TAX),
        (Figure("student", 33_150, 13, 16_500, 1_200), TAX),
        (Figure("student", 33_150, 13, 16_500), ROUNDING),
        (Figure("student", 30_648, 12, 15_900, 1_068), SEVERAL),
        (Figure("student", 20_000, 12, 16_500), UNKNOWN),
        # inferred, where it says an amount only
        (Figure("student", 33_149), ROUNDING),
        (Figure("student", 31_950), TAX),
        (Figure("student", 32_328), RATE),
        (Figure("student", 32_401), RATE),
        (Figure("student", 31_409), HOURS),
        (Figure("student", 12_345), UNKNOWN),
    ],
)
def test_a_difference_has_the_cause_that_explains_it(there: Figure, cause: str) -> None:
    assert cause_of(there, HERE, PARTS, other_rates).name == cause


@pytest.mark.parametrize(
    ("there", "cause"),
    [
        (Figure("student", 30_300, 12, 16_500, 0), SEVERAL),  # hours, and no tax
        (Figure("student", 31_170, 13, 15_900, 0), SEVERAL),  # rate, and no tax
        (Figure("student", 29_580, 12, 15_900, 0), SEVERAL),  # hours, rate, and no tax
        (Figure("student", 30_709, 12, 16_500, 1_109), HOURS),  # the aircraft's hours, and the lesson's
        (Figure("student", 30_709, 12, 16_500), HOURS),
        (Figure("student", 31_628, 13, 15_900, 1_158), SEVERAL),  # rate, and the lesson's hours
        (Figure("student", 31_250, 13, 16_500, 0), SEVERAL),  # the lesson's hours, and no tax
        (Figure("student", 30_659, 12, 16_500, 1_109), SEVERAL),  # hours, and the lesson's other rate
        (Figure("student", 30_100, 12, 16_500, 0), UNKNOWN),
        (Figure("student", 30_809, 12, 16_500, 1_109), UNKNOWN),
    ],
)
def test_two_things_at_once_are_several(there: Figure, cause: str) -> None:
    found = cause_of(there, HERE, PARTS, other_rates)
    assert found.name == cause, found


def test_hours_are_inferred_only_where_one_figure_explains_the_amount() -> None:
    by_hour = Part("instruction", 450, 10, 450)
    assert cause_of(Figure("instructor", 405), Figure("instructor", 450, 10), [by_hour]).name == HOURS
    cheap = Part("instruction", 10, 10, 10)  # a cent for a tenth: any hours would explain any difference
    assert cause_of(Figure("instructor", 7), Figure("instructor", 10, 10), [cheap]).name == UNKNOWN


@pytest.mark.parametrize(
    ("changed", "cause"),
    [
        (RENTAL._replace(amount=19_800, tenths=12), HOURS),
        (RENTAL._replace(amount=20_670, rate=15_900), RATE),
        (RENTAL._replace(tax_ppm=60_000), TAX),
        (RENTAL._replace(amount=19_080, tenths=12, rate=15_900), SEVERAL),
        (RENTAL, ROUNDING),
    ],
)
def test_between_two_rate_cards_the_parts_say_what_differs(changed: Part, cause: str) -> None:
    assert cause_between([changed, LESSON], PARTS).name == cause


def test_a_fee_that_only_one_card_has_is_its_rates() -> None:
    fees = [Part("airport_fee", 500), Part("airport_fee", 700)]
    assert cause_between([*PARTS, fees[0]], [*PARTS, *fees]).name == RATE
    assert cause_between([*PARTS, *fees], [*PARTS, fees[0], fees[1]._replace(amount=800)]).name == RATE
