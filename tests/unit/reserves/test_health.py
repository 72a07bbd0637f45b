"""How the reserve stands between two readings of the balance."""

from datetime import UTC, datetime, timedelta

import pytest

from services.reserves.domain.health import OPEN, Balance, judge
from services.reserves.domain.policy import Policy
from services.reserves.domain.positions import Owed

NOON = datetime(2026, 5, 22, 12, tzinfo=UTC)
NOTHING_OWED = Owed(payees=0, students=0, unallocated=0, tax=0, aircraft_reserves=0, disputes=0)


@pytest.mark.parametrize(
    ("let_out", "health", "free"),
    [(0, "healthy", 50_000), (15_600, "warning", 34_400), (20_001, "critical", 29_999)],
)
def test_what_was_let_out_since_the_reading_is_free_no_more(let_out: int, health: str, free: int) -> None:
    balance = Balance(
        currency="USD",
        number=1,
        read_at=NOON,
        available=50_000,
        pending=0,
        connect_reserved=0,
        under_way=0,
        allowed_until_now=7_000,
    )
    judged = judge(
        Policy(minimum=30_000),
        balance,
        NOTHING_OWED,
        0,
        gate=OPEN,
        now=NOON + timedelta(minutes=1),
        let_out=let_out,
    )
    assert (judged.health, judged.free) == (health, free)
    assert (judged.ceiling, judged.gate) == (27_000, OPEN)
    assert sum(term.amount for term in judged.terms if term.counts) == free - 30_000
    assert judged.gate_sentence.startswith("500.00 USD are free")
