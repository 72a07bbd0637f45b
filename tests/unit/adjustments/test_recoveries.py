"""Which flights a payment paid, and what their payees got of it: the first money pays the first bill."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.adjustments.domain.recoveries import Line, of_charge, paid_with, shares

STANDS = {"student:anna": -200, "instructor:ines": 87, "aircraft_owner:otto": 50, "platform:school": 63}


def lines(*told: tuple[str, int]) -> list[Line]:
    return [Line(source=source, amount=amount) for source, amount in told]


@pytest.mark.parametrize(
    ("told", "lost", "flights"),
    [
        ([("flight:F1:1", -100), ("charge:ch_1", 100)], 100, {"F1": 100}),
        ([("charge:ch_1", 100), ("flight:F1:1", -100)], 100, {"F1": 100}),  # paid ahead
        ([("charge:ch_1", 100)], 100, {}),  # nothing was flown for it
        (
            [("flight:F1:1", -100), ("charge:ch_0", 100), ("flight:F2:1", -50), ("charge:ch_1", 50)],
            50,
            {"F2": 50},
        ),
        ([("flight:F1:1", -100), ("flight:F2:1", -50), ("charge:ch_1", 120)], 120, {"F1": 100, "F2": 20}),
        ([("flight:F1:1", -100), ("flight:F2:1", -50), ("charge:ch_1", 150)], 60, {"F1": 10, "F2": 50}),
        ([("flight:F1:1", -100), ("adjustment:F1:2", -20), ("allocation:ch_1", 120)], 120, {"F1": 120}),
        ([("refund:re_1", -100), ("flight:F1:1", -100), ("charge:ch_1", 100)], 100, {}),
        ([("flight:F1:1", -100), ("payment-moved:ch_1:1", 40), ("charge:ch_2", 60)], 40, {"F1": 40}),
    ],
)
def test_the_first_money_pays_the_first_bill(
    told: list[tuple[str, int]], lost: int, flights: dict[str, int]
) -> None:
    found = lines(*told)
    assert paid_with(found, of_charge("ch_1", found), lost) == flights


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(st.booleans(), st.integers(1, 500)), max_size=15))
def test_every_cent_pays_one_flight_once(moved: list[tuple[bool, int]]) -> None:
    """Over all payments: what flights are paid is what was paid, as far as it goes."""
    told = [
        (f"charge:ch_{n}" if is_payment else f"flight:F{n}:1", amount if is_payment else -amount)
        for n, (is_payment, amount) in enumerate(moved)
    ]
    found = lines(*told)
    total: dict[str, int] = {}
    for line in found:
        if line.amount > 0:
            for flight, paid in paid_with(found, {line.source}, line.amount).items():
                total[flight] = total.get(flight, 0) + paid
    bills = {source.split(":")[1]: -amount for source, amount in told if amount < 0}
    assert all(paid <= bills[flight] for flight, paid in total.items())
    assert sum(total.values()) == min(sum(bills.values()), sum(a for _, a in told if a > 0))


@pytest.mark.parametrize(
    ("paid", "expected"),
    [
        (200, {"instructor:ines": 87, "aircraft_owner:otto": 50}),
        (100, {"instructor:ines": 43, "aircraft_owner:otto": 25}),  # the half cent stays with the payee
        (500, {"instructor:ines": 87, "aircraft_owner:otto": 50}),
        (1, {}),
    ],
)
def test_a_payee_bears_its_share_of_what_the_payment_paid(paid: int, expected: dict[str, int]) -> None:
    assert shares(STANDS, "student:anna", paid) == expected
    assert shares(STANDS, "student:ben", paid) == {}
