"""Payments that a bank takes back after they were made: debits that fail late, and lost disputes."""

from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest

from fleet.database import Database
from fleet.envelope import Record
from services.receivables import handlers
from tests.conftest import OpenDatabase
from tests.integration.billing.given import rows
from tests.integration.receivables.credits import owes
from tests.integration.receivables.stories import (
    charge,
    dead_reasons,
    dispute,
    failed_intent,
    intent,
    refund,
    settled,
    sources,
    staged,
    wallets,
    webhook,
)
from tests.integration.receivables.test_auto_charges import (
    SETUP,
    anna,
    answer,
    asked,
    charges,
    due,
    ledger,
)

__all__ = ["anna", "ledger"]  # fixtures

DEBIT: dict[str, Any] = {"id": "py_9", "amount": 150_00, "amount_captured": 150_00, "payment_intent": "pi_9"}
GONE: dict[str, Any] = {
    "status": "failed",
    "failure_code": "insufficient_funds",
    "failure_balance_transaction": "txn_back",
}


def paid() -> Record:
    return webhook("charge.succeeded", charge(**DEBIT))


def failed(**changed: Any) -> Record:
    return webhook("charge.failed", charge(**DEBIT | GONE | changed))


def lost(reason: str) -> Record:
    """As Stripe tells of a debit that a bank returned: a dispute that is lost from the start."""
    told = dispute("py_9", amount=150_00, status="lost", reason=reason)
    return webhook("charge.dispute.created", told)


async def debited(db: Database, ledger: Database, *, method_type: str = "us_bank_account") -> dict[str, Any]:
    """Anna's bank account was debited 150.00, and her bank said that it pays; the request to payouts."""
    method = {"id": "pm_1", "object": "payment_method", "type": method_type, "customer": "cus_1"}
    now = datetime.now(UTC)
    await handlers.take_stripe_events(db, [webhook("payment_method.updated", method, created_at=now)])
    await owes(ledger, 150_00)
    await due(db)
    [request] = await asked(db)
    await handlers.take_charge_answers(db, [answer(request, "processing")])
    await handlers.take_stripe_events(db, [paid()])
    assert await charges(db) == [("threshold:1", "succeeded", None)]
    return request


async def test_a_debit_that_fails_after_it_was_paid_is_owed_again(anna: Database, ledger: Database) -> None:
    await debited(anna, ledger)
    assert (await wallets(anna))["student:anna"] == 150_00
    await handlers.take_stripe_events(anna, [failed()])
    await handlers.take_stripe_events(anna, [failed()])
    assert await wallets(anna) == {}
    assert await sources(anna) == ["charge:py_9", "payment-failed:py_9"]
    assert await charges(anna) == [("threshold:1", "declined", "later")]
    told = [n for n in await staged(anna, "notification.requested") if n["kind"] == "auto_charge_taken_back"]
    assert [(n["recipient"], n["facts"]["amount"]) for n in told] == [("anna", "15000")]


async def test_a_debit_that_fails_after_a_refund_is_owed_with_the_refund(db: Database) -> None:
    """In any order: what the student has of the refund they owe beside the bill."""
    orders = list(permutations(range(3)))
    for number, order in enumerate(orders):
        named = {"id": f"py_{number}", "payment_intent": f"pi_{number}"}
        story = (
            webhook("charge.succeeded", charge(**DEBIT | named)),
            webhook("refund.created", refund(named["id"], f"re_{number}", amount=50_00)),
            failed(**named),
        )
        await handlers.take_stripe_events(db, [story[place] for place in order])
    assert len(await sources(db)) == 3 * len(orders)
    assert (await wallets(db))["student:anna"] == -50_00 * len(orders)


async def test_a_debit_that_was_never_paid_is_posted_and_posted_back(db: Database) -> None:
    """Stripe's balance shows both rows, and its fee; nobody is told of a payment."""
    await handlers.take_stripe_events(db, [failed()])
    await handlers.take_settled_charges(db, [settled("py_9", gross=150_00, fee=120, net=148_80)])
    assert await sources(db) == ["charge:py_9", "payment-failed:py_9", "charge-fee:txn_py_9"]
    assert (await wallets(db)).get("student:anna", 0) == 0
    assert await staged(db, "payment.received") == []
    assert await rows(db, "SELECT charge_id FROM unallocated_payment") == []


async def test_a_debit_of_nobody_that_failed_waits_for_nobody(db: Database) -> None:
    await handlers.take_stripe_events(db, [failed(metadata={})])
    assert await rows(db, "SELECT charge_id FROM unallocated_payment") == []
    assert await wallets(db) == {}


async def test_a_declined_card_moves_nothing(db: Database) -> None:
    told = charge(status="failed", failure_code="card_declined", failure_balance_transaction=None)
    await handlers.take_stripe_events(db, [webhook("charge.failed", told)])
    assert await rows(db, "SELECT charge_id FROM charge") == []
    assert await dead_reasons(db) == []


@pytest.mark.parametrize(
    ("reason", "kind", "again"),
    [
        ("insufficient_funds", "later", True),
        ("incorrect_account_details", "another_card", False),
        ("bank_cannot_process", "another_card", False),
        ("debit_not_authorized", "stop", False),
        ("a_reason_of_next_year", "stop", False),
    ],
)
async def test_a_returned_debit_is_owed_again_and_retried_by_its_class(
    anna: Database, ledger: Database, reason: str, kind: str, again: bool
) -> None:
    await debited(anna, ledger)
    await handlers.take_stripe_events(anna, [lost(reason)])
    assert (await wallets(anna)).get("student:anna", 0) == 0
    assert await charges(anna) == [("threshold:1", "declined", kind)]
    await due(anna, later=timedelta(minutes=59))
    assert len(await asked(anna)) == 1
    await due(anna, later=timedelta(days=9))
    causes = [one["cause"] for one in await asked(anna)]
    assert causes == (["threshold:1", "threshold:1#2"] if again else ["threshold:1"])


async def test_a_contested_card_is_not_charged_again(anna: Database, ledger: Database) -> None:
    await debited(anna, ledger, method_type="card")
    await handlers.take_stripe_events(anna, [lost("product_not_received")])
    await due(anna, later=timedelta(days=30))
    assert len(await asked(anna)) == 1


async def lowers(db: Database) -> list[str]:
    """What may lower a limit, by its name without whose it is."""
    found = await rows(db, "SELECT cause FROM receivables_public.setbacks_of('-infinity', NULL)")
    return [row["cause"].partition(":")[0] for row in found]


async def test_a_contested_card_lowers_a_limit_once_also_when_it_is_lost(
    anna: Database, ledger: Database
) -> None:
    await debited(anna, ledger, method_type="card")
    opened = dispute("py_9", amount=150_00)
    await handlers.take_stripe_events(anna, [webhook("charge.dispute.created", opened)])
    assert await lowers(anna) == ["disputed"]
    await handlers.take_stripe_events(anna, [webhook("charge.dispute.closed", opened | {"status": "lost"})])
    assert await charges(anna) == [("threshold:1", "declined", "stop")]
    assert await lowers(anna) == ["disputed"]


async def test_a_returned_debit_lowers_a_limit_as_a_decline(anna: Database, ledger: Database) -> None:
    await debited(anna, ledger)
    await handlers.take_stripe_events(anna, [lost("insufficient_funds")])
    assert await lowers(anna) == ["declined"]


async def test_a_bank_account_is_debited_again_twice_and_no_more(anna: Database, ledger: Database) -> None:
    await debited(anna, ledger)
    await handlers.take_stripe_events(anna, [lost("insufficient_funds")])
    for day in (9, 18, 27):
        await due(anna, later=timedelta(days=day))
        for request in (await asked(anna))[1:]:
            declined = answer(request, "declined", code="insufficient_funds")
            await handlers.take_charge_answers(anna, [declined])
    thrice = ["threshold:1", "threshold:1#2", "threshold:1#3"]
    assert [one["cause"] for one in await asked(anna)] == thrice
    await due(anna, later=timedelta(days=150))  # by another cause it would still be the same debt
    assert [one["cause"] for one in await asked(anna)] == thrice
    await due(anna, later=timedelta(days=181))
    assert [one["cause"] for one in await asked(anna)] == [*thrice, "threshold:2"]


async def test_a_debit_that_is_paid_ends_the_count_of_those_that_came_back(
    anna: Database, ledger: Database
) -> None:
    await debited(anna, ledger)
    await handlers.take_stripe_events(anna, [lost("insufficient_funds")])
    for day, outcome in ((9, "declined"), (18, "succeeded")):
        await due(anna, later=timedelta(days=day))
        request = (await asked(anna))[-1]
        told = {"charge": "py_10", "payment_intent": "pi_10"} if outcome == "succeeded" else {}
        told |= {"code": "insufficient_funds"} if outcome == "declined" else {}
        await handlers.take_charge_answers(anna, [answer(request, outcome, **told)])
    await due(anna, later=timedelta(days=150))
    causes = [one["cause"] for one in await asked(anna)]
    assert causes == ["threshold:1", "threshold:1#2", "threshold:1#3", "threshold:2"]


async def test_an_account_that_is_saved_anew_is_debited_again(anna: Database, ledger: Database) -> None:
    await debited(anna, ledger)
    await handlers.take_stripe_events(anna, [lost("insufficient_funds")])
    for day in (9, 18):
        await due(anna, later=timedelta(days=day))
        await handlers.take_charge_answers(
            anna, [answer((await asked(anna))[-1], "declined", code="insufficient_funds")]
        )
    account = {"id": "pm_2", "object": "payment_method", "type": "us_bank_account", "customer": "cus_1"}
    anew = SETUP | {"id": "seti_2", "payment_method": "pm_2"}
    at = datetime.now(UTC) + timedelta(seconds=1)
    await handlers.take_stripe_events(anna, [webhook("payment_method.updated", account, created_at=at)])
    await handlers.take_stripe_events(anna, [webhook("setup_intent.succeeded", anew, created_at=at)])
    await due(anna, later=timedelta(days=40))
    assert len(await asked(anna)) == 4


async def test_what_came_back_is_retried_although_a_later_charge_was_made(
    anna: Database, ledger: Database
) -> None:
    await debited(anna, ledger)
    await owes(ledger, 120_00, source="flight:F2:1")
    await due(anna)
    [_, request] = await asked(anna)
    await handlers.take_charge_answers(
        anna, [answer(request, "succeeded", charge="ch_10", payment_intent="pi_10")]
    )
    await handlers.take_stripe_events(anna, [failed()])
    await due(anna, later=timedelta(days=9))
    assert [one["cause"] for one in await asked(anna)] == ["threshold:1", "threshold:2", "threshold:1#2"]


ORDERS = list(permutations(["answer", "paid", "gone"]))


@pytest.mark.parametrize("by", ["failure", "dispute"])
@pytest.mark.parametrize("order", ORDERS, ids="-".join)
async def test_whatever_is_heard_first_a_debit_that_is_lost_is_no_charge_made(
    anna: Database, ledger: Database, order: tuple[str, ...], by: str
) -> None:
    await owes(ledger, 150_00)
    await due(anna)
    [request] = await asked(anna)
    gone = failed() if by == "failure" else lost("insufficient_funds")
    for name in order:
        match name:
            case "answer":
                told = answer(request, "succeeded", charge="py_9")
                await handlers.take_charge_answers(anna, [told])
            case "paid":
                await handlers.take_stripe_events(anna, [paid()])
            case "gone":
                await handlers.take_stripe_events(anna, [gone])
    assert await charges(anna) == [("threshold:1", "declined", "later")]
    assert (await wallets(anna)).get("student:anna", 0) == 0


async def test_an_intent_that_says_so_too_changes_nothing(anna: Database, ledger: Database) -> None:
    await debited(anna, ledger)
    told = webhook("payment_intent.payment_failed", failed_intent("py_9", id="pi_9", amount=150_00))
    for one in (
        failed(),
        told,
        webhook("payment_intent.succeeded", intent("py_9", id="pi_9", amount=150_00, amount_received=150_00)),
    ):
        await handlers.take_stripe_events(anna, [one])
    assert await charges(anna) == [("threshold:1", "declined", "later")]
    assert (await wallets(anna)).get("student:anna", 0) == 0


async def test_open_items_stand_as_before_the_payment(anna: Database, open_db: OpenDatabase) -> None:
    await handlers.take_stripe_events(anna, [paid(), failed()])
    [document] = {
        row["document"] for row in await rows(anna, "SELECT document_of(source) AS document FROM posting")
    }
    assert document == "charge:py_9"
