"""Facts about a charge come in any order and more than once; the money ends in the same wallets."""

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.receivables.domain.charges import (
    Charge,
    Contradiction,
    Dispute,
    DisputeOutcome,
    DisputeReported,
    Fact,
    Fee,
    FeeSettled,
    Payment,
    PaymentSucceeded,
    Posting,
    Refund,
    RefundReported,
    StudentNamed,
)
from services.receivables.domain.postings import Step, decide, unallocated_balance

NOW = datetime(2026, 5, 22, 12, tzinfo=UTC)
CH = "ch_1"


def paid(student: str | None = "anna", amount: int = 40_000) -> Fact:
    payment = Payment(amount=amount, currency="USD", received_at=NOW, payment_intent_id="pi_1")
    return PaymentSucceeded(charge_id=CH, payment=payment, student=student)


def fee(amount: int = 1_190, currency: str = "USD", transaction: str = "txn_1") -> Fact:
    settled = Fee(transaction_id=transaction, amount=amount, gross=40_000, currency=currency, settled_at=NOW)
    return FeeSettled(charge_id=CH, fee=settled)


def refund(refund_id: str = "re_1", amount: int = 10_000, **changed: Any) -> Fact:
    seen = Refund(refund_id=refund_id, amount=amount, currency="USD", at=NOW, **{"moved": True, **changed})
    return RefundReported(charge_id=CH, refund=seen)


def dispute(amount: int = 40_000, **changed: Any) -> Fact:
    seen = Dispute(
        dispute_id="du_1", amount=amount, currency="USD", opened_at=NOW, **{"withdrawn": True, **changed}
    )
    return DisputeReported(charge_id=CH, dispute=seen)


NAMED = StudentNamed(charge_id=CH, student="anna", at=NOW)


def told(facts: Iterable[Fact]) -> Charge:
    """The charge after these facts; contradictions change nothing."""
    charge = Charge(charge_id=CH)
    for fact in facts:
        step = decide(charge, fact, now=NOW)
        charge = step.charge if isinstance(step, Step) else charge
    return charge


def wallets(postings: Iterable[Posting]) -> dict[str, int]:
    totals: Counter[str] = Counter()
    for posting in postings:
        for entry in posting.entries:
            totals[entry.wallet] += entry.amount
    return {wallet: amount for wallet, amount in totals.items() if amount}


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ([paid()], {"student:anna": 40_000, "external:stripe": -40_000}),
        (
            [paid(), fee()],
            {"student:anna": 40_000, "external:stripe": -38_810, "platform:school": -1_190},
        ),
        ([paid(), fee(0)], {"student:anna": 40_000, "external:stripe": -40_000}),
        ([paid(None)], {"liability:unallocated": 40_000, "external:stripe": -40_000}),
        ([paid(None), NAMED], {"student:anna": 40_000, "external:stripe": -40_000}),
        ([paid(None), paid()], {"student:anna": 40_000, "external:stripe": -40_000}),
        ([paid(), refund()], {"student:anna": 30_000, "external:stripe": -30_000}),
        ([paid(), refund(moved=False)], {"student:anna": 40_000, "external:stripe": -40_000}),
        ([paid(), refund(failed=True)], {"student:anna": 40_000, "external:stripe": -40_000}),
        ([paid(), refund(), refund(failed=True)], {"student:anna": 40_000, "external:stripe": -40_000}),
        ([paid(), refund(), refund("re_2")], {"student:anna": 20_000, "external:stripe": -20_000}),
        ([paid(), dispute()], {"student:anna": 40_000, "liability:disputes": -40_000}),
        ([paid(), dispute(withdrawn=False)], {"student:anna": 40_000, "external:stripe": -40_000}),
        (
            [paid(), dispute(fees={"txn_2": 1_500})],
            {
                "student:anna": 40_000,
                "liability:disputes": -40_000,
                "external:stripe": 1_500,
                "platform:school": -1_500,
            },
        ),
        ([paid(), dispute(outcome=DisputeOutcome.WON)], {"student:anna": 40_000, "external:stripe": -40_000}),
        ([paid(), dispute(outcome=DisputeOutcome.LOST)], {}),
        (
            [paid(), dispute(outcome=DisputeOutcome.LOST), dispute(outcome=DisputeOutcome.WON)],
            {"student:anna": 40_000, "external:stripe": -40_000},
        ),
        (
            [paid(), dispute(outcome=DisputeOutcome.WON, fees={"txn_2": 1_500, "txn_3": -1_500})],
            {"student:anna": 40_000, "external:stripe": -40_000},
        ),
        ([fee(), refund(), dispute()], {}),
    ],
)
def test_each_story_of_a_charge_ends_in_these_wallets(facts: list[Fact], expected: dict[str, int]) -> None:
    assert wallets(told(facts).postings) == expected


FACTS: list[Fact] = [
    paid(),
    fee(),
    refund("re_1", 1_000, moved=False),
    refund("re_1", 1_000),
    refund("re_2", 500),
    refund("re_2", 500, moved=False, failed=True),
    dispute(2_000),
    dispute(2_000, outcome=DisputeOutcome.LOST, closed_at=NOW, fees={"txn_2": 1_500}),
]


@given(st.permutations(FACTS * 2), st.booleans(), st.integers(0, 16))
def test_order_and_repeats_do_not_matter(facts: list[Fact], unallocated: bool, named_at: int) -> None:
    if unallocated:
        facts = [paid(None) if isinstance(fact, PaymentSucceeded) else fact for fact in facts]
        facts = [*facts[:named_at], NAMED, *facts[named_at:], NAMED]
    charge = told(facts)
    assert wallets(charge.postings) == {
        "student:anna": 40_000 - 1_000 - 2_000,
        "external:stripe": -40_000 + 1_190 + 1_000 + 2_000 + 1_500,
        "platform:school": -1_190 - 1_500,
    }
    assert unallocated_balance(charge) == 0


@given(st.permutations(FACTS * 2))
def test_every_journal_balances_and_is_asked_for_once(facts: list[Fact]) -> None:
    postings = told(facts).postings
    assert all(sum(entry.amount for entry in posting.entries) == 0 for posting in postings)
    assert all(entry.amount for posting in postings for entry in posting.entries)
    assert max(Counter(posting.source for posting in postings).values()) == 1


@given(st.permutations(FACTS))
def test_nothing_is_posted_before_the_payment_itself(facts: list[Fact]) -> None:
    assert told(facts).postings[0].event_type == "payment"


def test_a_refund_that_fails_after_the_allocation_returns_to_the_student() -> None:
    charge = told([paid(None), refund(amount=40_000), NAMED, refund(amount=40_000, failed=True)])
    assert wallets(charge.postings) == {"student:anna": 40_000, "external:stripe": -40_000}


@pytest.mark.parametrize(
    ("before", "fact", "reason"),
    [
        ([paid()], paid(amount=39_999), "payment_amount_changed"),
        ([paid()], fee(currency="EUR"), "other_currency"),
        ([fee(currency="EUR")], paid(), "other_currency"),
        ([paid(), fee()], fee(transaction="txn_9"), "fee_changed"),
        ([paid(), refund()], refund(amount=1), "amount_changed"),
        ([paid(), dispute()], dispute(amount=1), "amount_changed"),
        (
            [dispute(outcome=DisputeOutcome.WON)],
            dispute(outcome=DisputeOutcome.LOST),
            "dispute_outcome_changed",
        ),
        ([], NAMED, "not_received"),
        ([paid("ben")], NAMED, "already_allocated"),
    ],
)
def test_what_contradicts_the_known_is_refused_with_a_sentence(
    before: list[Fact], fact: Fact, reason: str
) -> None:
    refused = decide(told(before), fact, now=NOW)
    assert isinstance(refused, Contradiction)
    assert refused.reason == reason
    assert CH in refused.sentence or "du_1" in refused.sentence


def test_a_payment_stays_with_the_student_first_named() -> None:
    charge = told([paid("anna"), paid("ben")])
    assert charge.student == "anna"
    assert wallets(charge.postings)["student:anna"] == 40_000


def test_a_step_says_what_was_received_and_what_was_allocated() -> None:
    first = decide(Charge(charge_id=CH), paid(None), now=NOW)
    assert isinstance(first, Step)
    assert (first.received is not None, first.allocated) == (True, False)
    second = decide(first.charge, NAMED, now=NOW)
    assert isinstance(second, Step)
    assert (second.received, second.allocated) == (None, True)
