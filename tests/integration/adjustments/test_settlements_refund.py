"""Refunds to a student's card: who may ask, what payouts answers, and what a bank sends back later."""

from typing import Any

import pytest

from fleet.database import Database
from services.adjustments.handlers import take_posted
from tests.integration.adjustments.settle_stories import (
    ANNA,
    answer_refunds,
    asked_refunds,
    given_posted,
    refund,
    settle,
    settlements,
    told,
    where,
)
from tests.integration.adjustments.stories import NOW, journals, posted


async def refunding(db: Database, **how: Any) -> dict[str, Any]:
    """F1:2 is posted, and a person has anna's 40.00 refunded; what payouts was asked for."""
    await given_posted(db)
    taken = await settle(db, method="refund", **how)
    assert taken.outcome == "done", taken.sentence
    return (await asked_refunds(db))[-1]


async def test_a_person_has_a_student_refunded_and_payouts_is_asked_once(db: Database) -> None:
    asked = await refunding(db)
    assert {name: asked[name] for name in ("wallet", "currency", "amount", "source")} == {
        "wallet": ANNA,
        "currency": "USD",
        "amount": 4_000,
        "source": "adjustment:F1:2",
    }
    assert await settlements(db, ANNA) == [("credit", "replaced", 4_000), ("refund", "asked", 4_000)]
    assert await where(db) == {"F1:2": "settling"}
    assert [source for source in await journals(db) if source.startswith("settlement:")] == []
    assert (await settle(db, method="refund")).outcome == "refused"
    assert len(await asked_refunds(db)) == 1
    assert (await told(db, "anna"))[-1] == (
        "settlement_changed",
        "Flight F1: 40.00 USD is refunded to the card that you paid with, as far as its payments allow.",
    )


async def test_a_part_is_refunded_and_the_rest_stays_credited(db: Database) -> None:
    asked = await refunding(db, amount=1_500)
    assert asked["amount"] == 1_500
    assert await settlements(db, ANNA) == [
        ("credit", "replaced", 4_000),
        ("refund", "asked", 1_500),
        ("credit", "settled", 2_500),
    ]


@pytest.mark.parametrize("wallet", ["instructor:ines", "platform:school"])
async def test_nobody_but_a_student_who_is_owed_is_refunded(db: Database, wallet: str) -> None:
    await given_posted(db)
    assert (await settle(db, method="refund", wallet=wallet)).outcome == "refused"
    assert await asked_refunds(db) == []


async def test_what_was_refunded_settles_it_with_the_refunds_as_proof(db: Database) -> None:
    asked = await refunding(db)
    await answer_refunds(db, refund(asked["settlement_id"], 4_000, "re_1", "re_2"))
    assert (await settlements(db, ANNA))[-1] == ("refund", "settled", 4_000)
    async with db.transaction() as tx:
        assert (await tx.one("SELECT proof FROM settlement WHERE method = 'refund'")).proof == "re_1, re_2"
    assert (await told(db, "anna"))[-1] == (
        "settlement_done",
        "Flight F1: 40.00 USD of a correction was refunded to the card that you paid with.",
    )
    again = refund(asked["settlement_id"], 0)
    await answer_refunds(db, again)
    assert (await settlements(db, ANNA))[-1] == ("refund", "settled", 4_000)


@pytest.mark.parametrize("amount", [0, 2_500])
async def test_what_was_not_refunded_is_a_credit_again_and_the_student_is_told(
    db: Database, amount: int
) -> None:
    asked = await refunding(db)
    await answer_refunds(db, refund(asked["settlement_id"], amount))
    ended = ("refund", "settled", amount) if amount else ("refund", "failed", 4_000)
    assert (await settlements(db, ANNA))[1:] == [ended, ("credit", "settled", 4_000 - amount)]
    assert "could not be refunded to your card. It is credited" in (await told(db, "anna"))[-1][1]
    failed = [said for kind, said in await told(db, "finance") if kind == "settlement_failed"]
    assert len(failed) == (amount == 0)


def sent_back(name: str, amount: int) -> Any:
    """Receivables' journal of a refund that a bank sent back, as the ledger posted it."""
    return posted(f"refund-failed:{name}", {ANNA: amount, "external:stripe": -amount})


async def test_a_refund_that_a_bank_sends_back_later_is_a_credit_again(db: Database) -> None:
    asked = await refunding(db)
    await answer_refunds(db, refund(asked["settlement_id"], 4_000, "re_1", "re_2"))
    await take_posted(db, [sent_back("re_1", 1_000), sent_back("re_9", 5)], clock=lambda: NOW)
    assert (await settlements(db, ANNA))[1:] == [
        ("refund", "replaced", 4_000),
        ("credit", "settled", 1_000),
        ("refund", "settled", 3_000),
    ]
    assert "the bank sent refund re_1 back" in (await told(db, "finance"))[-1][1]
    await take_posted(db, [sent_back("re_2", 3_000)], clock=lambda: NOW)
    assert (await settlements(db, ANNA))[3:] == [("refund", "replaced", 3_000), ("credit", "settled", 3_000)]
    assert (await settle(db, method="refund", amount=500)).outcome == "done"


async def test_a_refund_that_a_bank_sent_back_before_the_answer_is_not_counted(db: Database) -> None:
    asked = await refunding(db)
    await take_posted(db, [sent_back("re_1", 1_000)], clock=lambda: NOW)
    await answer_refunds(db, refund(asked["settlement_id"], 4_000, "re_1", "re_2"))
    assert (await settlements(db, ANNA))[1:] == [("refund", "settled", 3_000), ("credit", "settled", 1_000)]
