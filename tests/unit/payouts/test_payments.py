"""Who is paid what: rules as tables, and as properties over everything that may be open."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.cause import Cause
from services.payouts.domain.payees import Payee, payee_hold
from services.payouts.domain.payments import HeldTransfer, Payable, PayeeMoney, Payments, decide_payments
from services.payouts.domain.transfers import (
    SENTENCES,
    TRANSITIONS,
    HoldReason,
    TransferState,
    state_after_reversal,
)

NOW = datetime(2026, 5, 22, 12, tzinfo=UTC)
TRACE = Cause(correlation_id="c", traceparent="t", event_id=UUID(int=0))
READY = Payee(wallet="instructor:i1", stripe_account="acct_1", ready=True)
SCHEMA = Path(__file__).parents[3] / "services/payouts/schema.sql"


def payable(number: int, amount: int, **changes: object) -> Payable:
    plain: dict[str, object] = {
        "id": number,
        "wallet": READY.wallet,
        "currency": "USD",
        "amount": amount,
        "source": f"flight:F{number}:1",
        "accrued_at": NOW,
        "stripe_account": "acct_1",
        "trace": TRACE,
    }
    return Payable(**{**plain, **changes})  # type: ignore[arg-type]


def held(
    number: int, amount: int, reason: HoldReason = HoldReason.PAYEE_NOT_READY, **changes: object
) -> HeldTransfer:
    plain: dict[str, object] = {
        "id": UUID(int=1000 + number),
        "wallet": READY.wallet,
        "currency": "USD",
        "amount": amount,
        "cause": f"flight:F{number}:1",
        "reason": str(reason),
        "due_at": None,
        "waived": False,
        "payables": (number,),
        "sources": (f"flight:F{number}:1",),
        "accounts": frozenset({"acct_1"}),
        "trace": TRACE,
    }
    return HeldTransfer(**{**plain, **changes})  # type: ignore[arg-type]


def decide(
    payables: list[Payable],
    waiting: list[HeldTransfer] | None = None,
    period: str | None = None,
    **payee: object,
) -> Payments:
    person = Payee(**{**{n: getattr(READY, n) for n in Payee.__slots__}, **payee})
    account = PayeeMoney(payee=person, payables=tuple(payables), waiting=tuple(waiting or ()))
    return decide_payments([account], NOW, period=period)


def sent(payments: Payments) -> list[int]:
    return [t.amount for t in payments.new if t.hold is None]


@pytest.mark.parametrize(
    ("payee", "hold"),
    [
        ({"configured": False}, HoldReason.PAYEE_UNKNOWN),
        ({"removed": True}, HoldReason.PAYEE_REMOVED),
        ({"stripe_account": None}, HoldReason.ACCOUNT_MISSING),
        ({"ready": False}, HoldReason.PAYEE_NOT_READY),
        ({"balance_negative": True}, HoldReason.ACCOUNT_NEGATIVE),
        ({"parked": True}, HoldReason.PARKED_OPERATION),
        ({}, None),
    ],
)
def test_a_payee_s_money_is_held_with_the_reason(payee: dict[str, Any], hold: HoldReason | None) -> None:
    payments = decide([payable(1, 100)], **payee)
    [transfer] = payments.new
    assert transfer.hold is hold


def test_each_flight_is_a_transfer_of_its_own() -> None:
    assert sent(decide([payable(1, 100), payable(2, 200)])) == [100, 200]


def test_currencies_never_mix() -> None:
    payments = decide([payable(1, 100), payable(2, 200, currency="EUR"), payable(3, -50, currency="EUR")])
    assert {(t.currency, t.amount) for t in payments.new} == {("USD", 100), ("EUR", 150)}


@pytest.mark.parametrize(
    ("amounts", "minimum", "transfers"),
    [
        ([100], 100, [100]),
        ([99], 100, []),
        ([50, 49], 100, []),
        ([50, 50], 100, [100]),
        ([150, 50, 60], 100, [150, 110]),
    ],
)
def test_small_amounts_wait_for_the_minimum(amounts: list[int], minimum: int, transfers: list[int]) -> None:
    payables = [payable(n, a) for n, a in enumerate(amounts, 1)]
    assert sent(decide(payables, minimum_amount=minimum)) == transfers


@pytest.mark.parametrize(
    ("amounts", "transfers"),
    [
        ([100, -30], [70]),
        ([-30, 100, 200], [70, 200]),
        ([100, -100], []),
        ([100, -150, 60], [10]),
        ([-1], []),
    ],
)
def test_what_is_owed_comes_off_the_oldest_money(amounts: list[int], transfers: list[int]) -> None:
    payables = [payable(n, a) for n, a in enumerate(amounts, 1)]
    assert sent(decide(payables)) == transfers


def test_what_is_owed_comes_off_held_money_that_is_released() -> None:
    payments = decide([payable(3, -30)], [held(1, 20), held(2, 50), held(4, 5)])
    assert sent(payments) == [40]
    assert [w.amount for w, _ in payments.dissolved] == [20, 50]
    assert [w.amount for w in payments.released] == [5]
    assert payments.new[0].payables == (1, 2, 3)


def test_money_that_does_not_cover_a_debt_stays_held_with_that_reason() -> None:
    payments = decide([payable(3, -80)], [held(1, 20), held(2, 50)])
    assert [hold for _, hold in payments.held] == [HoldReason.OFFSET, HoldReason.OFFSET]
    assert not payments.released
    assert not payments.new


def test_a_period_makes_one_transfer_of_everything_open() -> None:
    payables = [payable(1, 100), payable(2, 200), payable(3, -50)]
    payments = decide(payables, period="daily:2026-05-22", schedule="daily")
    assert [(t.amount, t.cause) for t in payments.new] == [(250, "daily:2026-05-22")]


def test_on_a_schedule_nothing_is_paid_between_the_periods() -> None:
    assert decide([payable(1, 100)], schedule="weekly").new == ()


def test_a_hold_period_names_when_it_ends() -> None:
    payments = decide([payable(1, 100)], hold=timedelta(hours=2))
    [transfer] = payments.new
    assert (transfer.hold, transfer.due_at) == (HoldReason.HOLD_PERIOD, NOW + timedelta(hours=2))


def test_a_period_leaves_out_what_is_still_in_its_hold() -> None:
    old = payable(1, 100, accrued_at=NOW - timedelta(hours=3))
    payments = decide([old, payable(2, 50)], period="daily:x", schedule="daily", hold=timedelta(hours=2))
    assert sent(payments) == [100]


def test_a_changed_account_holds_until_a_person_waives_it() -> None:
    [transfer] = decide([payable(1, 100, stripe_account="acct_old")]).new
    assert transfer.hold is HoldReason.ACCOUNT_CHANGED
    old = frozenset({"acct_old"})
    assert not decide([], [held(1, 100, accounts=old)]).released
    assert decide([], [held(1, 100, accounts=old, waived=True)]).released


def test_money_earned_before_there_was_an_account_is_not_a_changed_account() -> None:
    assert sent(decide([payable(1, 100, stripe_account=None)])) == [100]


def test_a_payee_that_becomes_ready_gets_everything_that_waited() -> None:
    payments = decide([], [held(1, 100), held(2, 200)])
    assert [w.amount for w in payments.released] == [100, 200]


amounts = st.lists(st.integers(-500, 500).filter(bool), max_size=12)


@given(
    open_amounts=amounts,
    held_amounts=st.lists(st.integers(1, 500), max_size=5),
    minimum=st.integers(0, 300),
    period=st.sampled_from([None, "daily:x"]),
    ready=st.booleans(),
)
def test_no_cent_is_paid_twice_or_lost(
    open_amounts: list[int], held_amounts: list[int], minimum: int, period: str | None, ready: bool
) -> None:
    """Each payable ends in one transfer at most, and each transfer pays just what is in it."""
    payables = [payable(n, a) for n, a in enumerate(open_amounts, 1)]
    waiting = [held(n, a) for n, a in enumerate(held_amounts, 101)]
    value = {p.id: p.amount for p in payables} | {w.payables[0]: w.amount for w in waiting}
    schedule = "daily" if period else "per_flight"
    payments = decide(payables, waiting, period, minimum_amount=minimum, ready=ready, schedule=schedule)
    used = [p for t in payments.new for p in t.payables]
    assert len(used) == len(set(used))
    for transfer in payments.new:
        assert transfer.amount == sum(value[p] for p in transfer.payables) > 0
        if transfer.hold is None:
            assert transfer.amount >= minimum
    kept = {w.id for w in payments.released} | {w.id for w, _ in payments.held}
    gone = {w.id for w, _ in payments.dissolved}
    assert not kept & gone
    assert all(w.payables[0] in used for w, _ in payments.dissolved)
    if not ready:
        assert sent(payments) == []
        assert not payments.released


def test_every_hold_has_a_sentence() -> None:
    assert set(SENTENCES) == set(HoldReason)
    assert payee_hold(READY) is None


def test_the_database_s_table_of_transitions_is_this_one() -> None:
    text = SCHEMA.read_text()
    constraint = text[text.index("transition_is_in_the_table") :].partition("\n")[0]
    listed = set(re.findall(r"'(\w+)>(\w+)'", constraint))
    ours = {(str(a or "new"), str(b)) for a, following in TRANSITIONS.items() for b in following}
    assert listed == ours


def test_every_state_can_be_reached_and_only_the_last_two_are_final() -> None:
    reached = {b for following in TRANSITIONS.values() for b in following}
    assert reached == set(TransferState)
    final = {a for a, following in TRANSITIONS.items() if not following}
    assert final == {TransferState.REVERSED, TransferState.CANCELLED}


@pytest.mark.parametrize(
    ("back", "state"), [(1, TransferState.PARTLY_REVERSED), (100, TransferState.REVERSED)]
)
def test_a_reversal_is_part_or_whole(back: int, state: TransferState) -> None:
    assert state_after_reversal(100, back) is state
