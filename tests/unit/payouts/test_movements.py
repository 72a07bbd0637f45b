"""What each row of the platform's Stripe balance means: expected, to be booked, or unexplained."""

from datetime import UTC, datetime
from typing import Any

import pytest
from stripe import BalanceTransaction

from schemas.journals import JournalRequested
from services.payouts import wire
from services.payouts.domain.movements import (
    BANK,
    FEES,
    PREFIXES,
    SENTENCES,
    Judged,
    OverdueMovement,
    decide_movement,
    overdue_sentence,
)
from services.payouts.domain.odd_objects import OddField

ROW: dict[str, Any] = {
    "id": "txn_1",
    "object": "balance_transaction",
    "type": "stripe_fee",
    "reporting_category": "fee",
    "balance_type": "payments",
    "amount": -1_500,
    "fee": 0,
    "net": -1_500,
    "currency": "usd",
    "source": None,
    "description": "Dispute countered fee",
    "created": 1_779_451_200,
}


def judged(**changed: Any) -> Judged:
    """A row as Stripe shows it; its net follows from amount and fee."""
    row = ROW | changed
    return decide_movement(wire.movements.movement(row | {"net": row["amount"] - row["fee"]}))


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"type": "charge", "amount": 100, "fee": 3, "source": "ch_1"}, ("charge:ch_1", "charge-fee:txn_1")),
        ({"type": "payment", "amount": 100, "source": "py_1"}, ("charge:py_1", "charge-fee:txn_1")),
        ({"type": "refund", "source": "re_1"}, ("refund:re_1",)),
        ({"type": "payment_refund", "source": "pyr_1"}, ("refund:pyr_1",)),
        ({"type": "refund_failure", "amount": 100, "source": "re_1"}, ("refund-failed:re_1",)),
        ({"type": "payment_failure_refund", "source": "py_1"}, ("payment-failed:py_1",)),
        ({"type": "transfer_refund", "amount": 100, "source": "trr_1"}, ("reversal:trr_1",)),
        ({"type": "transfer", "source": "tr_1"}, ()),  # our transfer says which journal it is
        (
            {"type": "adjustment", "reporting_category": "dispute", "fee": 1_500, "source": "du_1"},
            ("dispute:du_1", "dispute-fee:txn_1"),
        ),
        (
            {"type": "adjustment", "reporting_category": "dispute_reversal", "amount": 100, "source": "du_1"},
            ("dispute-won:du_1", "dispute-fee:txn_1"),
        ),
    ],
)
def test_a_row_that_the_books_have_names_the_journals_that_it_needs(
    row: dict[str, Any], expected: tuple[str, ...]
) -> None:
    found = judged(**row)
    assert (found.expected, found.booking, found.standing) == (expected, None, "waiting")


@pytest.mark.parametrize(
    ("row", "event_type", "entries"),
    [
        ({}, "stripe_account_fee", {"platform:school": -1_500, "external:stripe": 1_500}),
        ({"amount": 1_500}, "stripe_account_fee", {"platform:school": 1_500, "external:stripe": -1_500}),
        (
            {"type": "stripe_fx_fee"},
            "stripe_account_fee",
            {"platform:school": -1_500, "external:stripe": 1_500},
        ),
        ({"type": "tax_fee"}, "stripe_account_fee", {"platform:school": -1_500, "external:stripe": 1_500}),
        (
            {"type": "network_cost"},
            "stripe_account_fee",
            {"platform:school": -1_500, "external:stripe": 1_500},
        ),
        ({"type": "adjustment"}, "stripe_account_fee", {"platform:school": -1_500, "external:stripe": 1_500}),
        (
            {"type": "payout", "amount": -2_000, "fee": 20, "source": "po_1"},
            "stripe_payout",
            {"external:bank": -2_000, "platform:school": -20, "external:stripe": 2_020},
        ),
        (
            {"type": "payout_failure", "amount": 2_000, "source": "po_1"},
            "stripe_payout",
            {"external:bank": 2_000, "external:stripe": -2_000},
        ),
        (
            {"type": "topup", "amount": 2_000, "source": "tu_1"},
            "stripe_topup",
            {"external:bank": 2_000, "external:stripe": -2_000},
        ),
        (
            {"type": "topup_reversal", "amount": -2_000, "source": "tu_1"},
            "stripe_topup",
            {"external:bank": -2_000, "external:stripe": 2_000},
        ),
    ],
)
def test_a_row_that_is_certain_is_booked_with_its_own_source(
    row: dict[str, Any], event_type: str, entries: dict[str, int]
) -> None:
    found = judged(**row)
    assert found.booking is not None
    assert (found.booking.event_type, dict(found.booking.entries)) == (event_type, entries)
    assert sum(entries.values()) == 0
    assert (found.expected, found.standing) == (("stripe:txn_1",), "waiting")


@pytest.mark.parametrize(
    "row",
    [
        {"type": "money_from_the_moon"},
        {"type": "adjustment", "reporting_category": "other_adjustment"},
        {"type": "adjustment", "source": "du_1"},  # a fee that a dispute may name too
        {"type": "payout", "amount": 2_000, "source": "po_1"},  # money to the bank that came in
        {"type": "topup", "amount": -2_000, "source": "tu_1"},
        {"type": "charge", "source": None},
        {"type": "transfer", "amount": 100, "source": "tr_1"},
        {"balance_type": "risk_reserved"},
        *({"type": one} for one in SENTENCES if one != "adjustment"),
    ],
)
def test_what_is_not_certain_is_unexplained_and_never_booked(row: dict[str, Any]) -> None:
    found = judged(**row)
    assert (found.expected, found.booking, found.standing) == ((), None, "unexplained")
    assert found.sentence


def test_a_row_that_moves_nothing_needs_nobody() -> None:
    assert judged(amount=0, type="adjustment").standing == "explained"


def test_every_type_that_is_dealt_with_is_one_of_stripes() -> None:
    types = str(BalanceTransaction.__annotations__["type"])
    named = {*FEES, *BANK, *PREFIXES, *SENTENCES} - {"network_cost"}
    assert [one for one in named if f"'{one}'" not in types and f'"{one}"' not in types] == []


@pytest.mark.parametrize(
    "spoiled",
    [
        {"net": -1_499},
        {"amount": "-1500"},
        {"fee": None},
        {"id": None},
        {"type": ""},
        {"currency": "dollars"},
        {"source": 7},
        {"created": None},
        {"amount": -(10**17), "net": -(10**17)},
    ],
)
def test_a_row_that_is_not_as_documented_is_odd(spoiled: dict[str, Any]) -> None:
    with pytest.raises(OddField):
        wire.movements.movement(ROW | spoiled)


def test_one_row_asks_for_one_journal_whenever_it_is_read() -> None:
    first, again = (wire.movements.movement_journal(judged()) for _ in range(2))
    assert first is not None
    assert again is not None
    assert first.event == again.event
    assert isinstance(first.event, JournalRequested)
    assert (first.key, first.event.occurred_at) == ("stripe:txn_1", datetime(2026, 5, 22, 12, tzinfo=UTC))
    assert wire.movements.movement_journal(judged(type="reserve_hold")) is None


def test_a_row_that_the_books_lack_says_what_is_missing() -> None:
    charge = OverdueMovement(type="charge", expected=["charge:ch_1", "f:1"], source_id="ch_1", booked=None)
    transfer = OverdueMovement(type="transfer", expected=[], source_id="tr_1", booked=None)
    other = OverdueMovement(type="refund", expected=["refund:re_1"], source_id="re_1", booked=90)
    assert overdue_sentence(charge) == "the books have no journal charge:ch_1"
    assert overdue_sentence(transfer) == "no transfer of Hobbs is tr_1"
    assert "refund:re_1 move another amount" in overdue_sentence(other)


@pytest.mark.parametrize(("fee", "school"), [(-320, 320), (400, -400)])
def test_of_a_failed_debit_the_fee_is_booked_and_the_money_is_receivables(fee: int, school: int) -> None:
    """Stripe gives its fee back with the money, or keeps one for the failure."""
    found = judged(type="payment_failure_refund", amount=-40_000, fee=fee, source="py_1")
    assert found.expected == ("payment-failed:py_1", "stripe:txn_1")
    assert found.booking is not None
    assert dict(found.booking.entries) == {"platform:school": school, "external:stripe": -school}
    at_stripe = 40_000 + dict(found.booking.entries)["external:stripe"]
    assert at_stripe == -found.movement.net
