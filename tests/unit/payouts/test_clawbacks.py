"""How much is taken back of which transfers: never more than is owed, left, available, or in time."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.cause import Cause
from services.payouts.domain.clawbacks import (
    GIVES_UP_AFTER,
    MARGIN,
    REFUSALS_MAX,
    Answer,
    Claim,
    Clawback,
    Debt,
    FreeReversal,
    Reason,
    SentMoney,
    Wait,
    after_refusals,
    decide_claim,
    decide_takes,
    final_answer,
    order_takes,
    shares,
)

NOW = datetime(2026, 5, 22, 12, tzinfo=UTC)
ID = UUID("01890a5d-ac96-774b-bcce-b302099a8057")
ONE = Clawback(
    settlement_id=ID,
    wallet="instructor:i1",
    currency="USD",
    source="adjustment:F1:2",
    asked=1750,
    paid_by=("flight:F1:1",),
    trace=Cause(correlation_id="c", traceparent="t", event_id=ID),
    state="waiting",
    claimed=0,
    came_back=0,
    refusals=0,
    requested_at=NOW,
)
OWED = Debt(known=True, currency="USD", open=1750)
SOON, LATE = timedelta(), GIVES_UP_AFTER


def sent(
    number: int, left: int, *, hours_ago: float = 1, account: str = "acct_1", paid: bool = False
) -> SentMoney:
    at = NOW - timedelta(hours=hours_ago)
    return SentMoney(
        transfer_id=UUID(int=number),
        stripe_transfer_id=f"tr_{number}",
        stripe_account=account,
        left=left,
        sent_at=at,
        clawback_until=at + timedelta(hours=72),
        paid_for_it=paid,
    )


def taken(needs: int, money: list[SentMoney], available: int = 10**9) -> list[tuple[str, int]] | Reason:
    takes = decide_takes(needs, "USD", money, {"acct_1": available}, NOW)
    if isinstance(takes, Answer):
        return takes.reason
    return [(take.of.stripe_transfer_id, take.amount) for take in takes]


@pytest.mark.parametrize(
    ("debt", "age", "decided"),
    [
        (Debt(known=False), SOON, Wait),
        (Debt(known=False), LATE, Reason.UNKNOWN_DEBT),
        (Debt(known=True, currency=None), SOON, Reason.UNKNOWN_DEBT),
        (replace(OWED, currency="EUR"), SOON, Reason.UNKNOWN_DEBT),
        (OWED, SOON, (1750, 0)),
        (replace(OWED, open=1000), SOON, (1000, 0)),
        (replace(OWED, open=2000), SOON, (1750, 250)),
        (replace(OWED, unsent=500), SOON, (1250, 500)),
        (replace(OWED, unsent=-500), SOON, (1750, 0)),
        (replace(OWED, unsent=1750), SOON, Reason.ALREADY_DEDUCTED),
        (replace(OWED, open=0), SOON, Reason.ALREADY_DEDUCTED),
        (replace(OWED, open=0, in_other_claims=True), SOON, Wait),
        (replace(OWED, open=0, in_other_claims=True), LATE, Reason.WINDOW_CLOSED),
        (replace(OWED, unclear=True), SOON, Wait),
        (replace(OWED, unclear=True), LATE, Reason.WINDOW_CLOSED),
    ],
)
def test_what_is_claimed_of_a_debt(debt: Debt, age: timedelta, decided: object) -> None:
    match decide_claim(ONE, debt, age):
        case Claim(amount=amount, left_open=left_open):
            assert (amount, left_open) == decided
        case Wait():
            assert decided is Wait
        case Answer(reason=reason):
            assert reason is decided


def test_the_transfers_that_paid_for_it_come_first_then_the_newest() -> None:
    money = [sent(3, 500, hours_ago=1), sent(2, 500, hours_ago=2), sent(1, 500, hours_ago=3, paid=True)]
    assert taken(1200, money) == [("tr_1", 500), ("tr_3", 500), ("tr_2", 200)]


def test_of_two_in_the_same_second_the_one_that_was_decided_later_comes_first() -> None:
    assert taken(1, [sent(1, 500), sent(2, 500)]) == [("tr_1", 1)]


@pytest.mark.parametrize(
    ("money", "available", "reason"),
    [
        ([], 10**9, Reason.NOTHING_SENT),
        ([sent(1, 0)], 10**9, Reason.NOTHING_SENT),
        ([sent(1, 0), sent(2, 5, hours_ago=73)], 10**9, Reason.WINDOW_CLOSED),
        ([sent(1, 5)], 0, Reason.SHORT),
        ([sent(1, 5)], -5, Reason.SHORT),
    ],
)
def test_why_nothing_is_taken_back(money: list[SentMoney], available: int, reason: Reason) -> None:
    assert taken(5, money, available) is reason


def test_a_window_ends_a_margin_before_stripe_s() -> None:
    last = 72 - MARGIN / timedelta(hours=1)
    assert taken(5, [sent(1, 5, hours_ago=last)]) is Reason.WINDOW_CLOSED
    assert taken(5, [sent(1, 5, hours_ago=last - 0.001)]) == [("tr_1", 5)]


amounts = st.integers(min_value=0, max_value=3000)


@given(
    needs=st.integers(min_value=1, max_value=5000),
    lefts=st.lists(st.tuples(amounts, st.integers(0, 100), st.booleans()), max_size=6),
    available=st.integers(min_value=-100, max_value=6000),
)
def test_no_more_is_taken_than_is_owed_left_and_available(
    needs: int, lefts: list[tuple[int, int, bool]], available: int
) -> None:
    money = [sent(n, left, hours_ago=hours, paid=paid) for n, (left, hours, paid) in enumerate(lefts)]
    takes = decide_takes(needs, "USD", money, {"acct_1": available}, NOW)
    there = sum(m.left for m in money if m.not_after > NOW)
    total = 0 if isinstance(takes, Answer) else sum(take.amount for take in takes)
    assert total == max(min(needs, there, available), 0)
    for take in () if isinstance(takes, Answer) else takes:
        assert 0 < take.amount <= take.of.left
        assert take.of.not_after > NOW


def test_each_reversal_has_a_cause_of_its_own_that_names_the_request() -> None:
    takes = decide_takes(1200, "USD", [sent(2, 500), sent(1, 900)], {"acct_1": 10**9}, NOW)
    assert not isinstance(takes, Answer)
    orders = order_takes(replace(ONE, claimed=1750), takes, ordered=2)
    assert [o.cause for o in orders] == [f"clawback:{ID}:3:tr_2:500", f"clawback:{ID}:4:tr_1:700"]
    assert [o.parent_id for o in orders] == ["tr_2", "tr_1"]
    assert all(o.not_after == NOW + timedelta(hours=71) - MARGIN for o in orders)
    assert orders[0].params["metadata"]["hobbs_source"] == orders[0].cause


def test_money_that_came_back_closes_a_debt_only_as_far_as_it_goes() -> None:
    free = [
        FreeReversal(stripe_reversal_id=f"trr_{n}", free=amount) for n, amount in enumerate((300, 0, 500, 9))
    ]
    assert shares(700, free) == {"trr_0": 300, "trr_2": 400}
    assert shares(0, free) == {}


@pytest.mark.parametrize(
    ("claimed", "came_back", "why", "reason"),
    [
        (1750, 1750, Reason.DONE, Reason.DONE),
        (1750, 1000, Reason.SHORT, Reason.SHORT),
        (1000, 1000, Reason.DONE, Reason.ALREADY_DEDUCTED),
        (1000, 500, Reason.REFUSED, Reason.REFUSED),
        (0, 0, Reason.NOTHING_SENT, Reason.NOTHING_SENT),
    ],
)
def test_what_a_request_is_answered(claimed: int, came_back: int, why: Reason, reason: Reason) -> None:
    one = replace(ONE, claimed=claimed, came_back=came_back)
    answer = final_answer(one, Answer(reason=why, sentence="why"), ["tr_1"])
    assert answer.reason is reason
    assert ("tr_1" in answer.sentence) == (came_back > 0)


def test_stripe_refuses_three_times_before_the_rest_is_a_debt_again() -> None:
    tired = replace(ONE, refusals=REFUSALS_MAX)
    assert after_refusals(replace(ONE, refusals=REFUSALS_MAX - 1), "resource_missing", "no") is None
    for refusal, reason in (("insufficient_funds", Reason.SHORT), ("resource_missing", Reason.REFUSED)):
        answer = after_refusals(tired, refusal, "no")
        assert answer is not None
        assert answer.reason is reason
