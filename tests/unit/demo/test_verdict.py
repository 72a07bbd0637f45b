"""The demo's own comparisons must be able to fail."""

import pytest

from hobbs.demo.credit import ANSWERS, STUDENT, credit_held
from hobbs.demo.figures import Row
from hobbs.demo.verdict import (
    every_transfer_happened_once,
    ledger_holds_what_stripe_holds,
    nothing_changed,
)


def transfer(number: int, amount: int = 8750) -> Row:
    return {
        "stripe_transfer_id": f"tr_{number}",
        "stripe_account": "acct_1",
        "amount": amount,
        "currency": "USD",
    }


def effect(number: int, amount: int = 8750, *, operation: str | None = None, kind: str = "transfer") -> Row:
    return {
        "kind": kind,
        "object_id": f"tr_{number}",
        "operation_id": operation or f"op-{number}",
        "destination": "acct_1",
        "amount": amount,
        "currency": "usd",
    }


@pytest.mark.parametrize(
    ("ours", "theirs", "holds"),
    [
        ([], [], True),
        ([transfer(1)], [effect(1)], True),
        ([transfer(1)], [effect(1), effect(9, kind="charge")], True),
        ([transfer(1)], [], False),
        ([transfer(1)], [effect(2)], False),
        ([transfer(1)], [effect(1, 8751)], False),
        ([transfer(1)], [effect(1), effect(2)], False),
        ([transfer(1), transfer(2)], [effect(1, operation="op"), effect(2, operation="op")], False),
    ],
    ids=[
        "nothing",
        "the same",
        "other money",
        "not at Stripe",
        "another transfer",
        "another amount",
        "a transfer we do not know",
        "one operation paid twice",
    ],
)
def test_transfers_and_effects_agree_one_to_one(ours: list[Row], theirs: list[Row], holds: bool) -> None:
    assert every_transfer_happened_once(ours, theirs).holds is holds


def test_a_table_that_changed_is_named() -> None:
    verdict = nothing_changed(
        {"ledger.entry": "3 rows", "payouts.transfer": "1 rows"},
        {"ledger.entry": "3 rows", "payouts.transfer": "2 rows"},
    )
    assert not verdict.holds
    assert verdict.detail == "changed: payouts.transfer"


@pytest.mark.parametrize(
    ("ledger", "stripe", "holds"),
    [
        ([], {}, True),
        ([], {"USD": 0}, True),
        ([{"currency": "USD", "balance": -38810}], {"USD": 38810}, True),
        ([{"currency": "USD", "balance": -38810}], {"USD": 38811}, False),
        ([{"currency": "USD", "balance": -38810}], {"EUR": 38810}, False),
        ([], {"USD": 1}, False),
    ],
)
def test_the_ledgers_cash_must_be_stripes_to_the_cent(
    ledger: list[Row], stripe: dict[str, int], holds: bool
) -> None:
    assert ledger_holds_what_stripe_holds(ledger, stripe).holds is holds


def charged(amount: int, student: str = STUDENT) -> Row:
    return {"kind": "charge", "amount": amount, "metadata": {"hobbs_student": student}}


@pytest.mark.parametrize(
    ("answers", "taken", "holds"),
    [
        (ANSWERS, [charged(24_490)], True),
        (ANSWERS, [charged(24_490), charged(24_490)], False),
        (ANSWERS, [charged(24_490, student="student-01")], False),
        (ANSWERS, [charged(24_491)], False),
        ([*ANSWERS[:1], (ANSWERS[1][0], 1, "cleared"), *ANSWERS[2:]], [charged(24_490)], False),
        (ANSWERS[:2], [charged(24_490)], False),
    ],
)
def test_credit_held_means_refused_once_and_charged_once(
    answers: list[tuple[str, int, str]], taken: list[Row], *, holds: bool
) -> None:
    rows = [{"flight_id": flight, "revision": number, "state": state} for flight, number, state in answers]
    charges = [{"amount": 24_490, "state": state} for state in ("declined", "succeeded")]
    assert credit_held(rows, charges, taken).holds is holds
