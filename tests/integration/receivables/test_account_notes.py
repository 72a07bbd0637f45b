"""Refunds of what is overpaid, credit notes, write-offs, and what a bounced cheque costs."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from fleet.database import Database
from fleet.envelope import Record
from schemas.refunds import RefundSettled
from services.receivables import handlers
from services.receivables.desk.reads import notes
from tests.conftest import OpenDatabase
from tests.integration.ops.conftest import Hobbs
from tests.integration.receivables.credits import a_school
from tests.integration.receivables.stories import staged
from tests.integration.receivables.test_open_items import bill, correct, open_of, posts, taken
from tests.integration.receivables.test_recorded_payments import TODAY, Desk
from tests.support.records import record

DAY = {"paid_on": TODAY.isoformat()}


@pytest.fixture
async def desk(db: Database, open_db: OpenDatabase) -> Desk:
    """Anna owes two flights, 100 and 50; one person may give 60 a day; a bounced cheque costs 25."""
    await handlers.follow_book(db, [a_school(given_by_one_up_to=60, bounced_cheque_fee=25)])
    ledger = open_db("ledger")
    await taken(db, await posts(ledger, bill("F1", 100), bill("F2", 50)))
    return Desk(db, ledger)


async def newest(desk: Desk) -> str:
    async with desk.db.transaction() as tx:
        return str((await notes.notes(tx))[0]["id"])


async def test_no_more_is_refunded_than_is_overpaid_and_two_agree_to_much(desk: Desk, hobbs: Hobbs) -> None:
    await desk.records(250)
    told = {"way": "cash", "number": "P-1", **DAY}
    assert "has a credit of 1.00 USD" in await desk.says("refund_credit", "anna", why="w", amount=101, **told)
    assert "needs a reason" in await desk.says("refund_credit", "anna", amount=10, **told)
    assert "a second person" in await desk.says("refund_credit", "anna", why="left", amount=100, **told)
    assert (await desk.money())["external:cash"] == -250
    assert "credit of 0.00" in await desk.says("refund_credit", "anna", why="w", amount=1, **told)  # promised
    assert "another person" in await desk.says("approve_note", await newest(desk), who=" ANN")
    assert "in cash: it is posted" in await desk.says("approve_note", await newest(desk), who="bob")
    assert await desk.money() == {"external:cash": -150}
    assert await open_of(desk.db) == {}
    assert "is posted" in await desk.says("approve_note", await newest(desk), who="carl")
    assert "reverted" in await desk.says("revert_note", await newest(desk), why="not she")
    assert await desk.money() == {"external:cash": -250, "student:anna": 100}
    assert "P-1" in (await hobbs("payments", "notes", "-o", "json")).stdout


async def test_what_stripe_gives_back_is_asked_for_once_and_answered(desk: Desk) -> None:
    await desk.records(200)
    assert "Stripe is asked" in await desk.says("refund_credit", "anna", why="left", amount=50, way="card")
    [asked] = await staged(desk.db, "refund.requested")
    assert (asked["wallet"], asked["amount"]) == ("student:anna", 50)
    answer = RefundSettled(
        settlement_id=UUID(asked["settlement_id"]),
        wallet=asked["wallet"],
        currency="USD",
        source=asked["source"],
        asked=50,
        refunded=30,
        refunds=["re_1"],
        reason="short",
        sentence="0.30 USD went back",
        settled_at=datetime.now(UTC),
    )
    for _ in range(2):
        await handlers.take_refund_answers(desk.db, [record("refund.settled", answer, key=answer.wallet)])
    async with desk.db.transaction() as tx:
        [kept] = await notes.notes(tx)
    assert (kept["state"], kept["refunded"], kept["sentence"]) == ("settled", 30, "0.30 USD went back")
    left = await desk.says("refund_credit", "anna", why="w", amount=1, way="card")
    assert "a credit of 0.00 USD" in left  # until the ledger has what Stripe gave back


async def test_a_bill_is_credited_and_written_off_no_further_than_it_goes(desk: Desk) -> None:
    assert "for flight:F1 of anna, 0.40 USD: it is posted" in await desk.says(
        "credit_bill", "F1", why="radio failed", amount=40
    )
    assert await open_of(desk.db) == {"flight:F1": -60, "flight:F2": -50}
    assert "at most 0.60 USD of flight:F1" in await desk.says("credit_bill", "F1", why="w", amount=61)
    await desk.says("write_off_bill", "F1", why="died")
    assert await open_of(desk.db) == {"flight:F1": -60, "flight:F2": -50}  # 100 within a day: a second person
    assert "at most 0.00 USD" in await desk.says("credit_bill", "F1", why="w", amount=1)
    await desk.says("approve_note", await newest(desk), who="bob")
    assert await open_of(desk.db) == {"flight:F2": -50}
    assert "nothing is left" in await desk.says("write_off_bill", "F1", why="w")
    assert "nobody was billed for F9" in await desk.says("write_off_bill", "F9", why="w")


async def corrects(desk: Desk, *corrections: Record) -> None:
    await taken(desk.db, await posts(desk.ledger, *corrections))


async def test_what_waits_is_judged_again_when_its_second_person_agrees(desk: Desk) -> None:
    """The flight was corrected to less meanwhile, was cancelled, or is another student's."""
    await desk.says("credit_bill", "F1", why="radio failed", amount=90)
    await corrects(desk, correct("F1", 30))
    short = await desk.says("approve_note", await newest(desk), who="bob")
    assert short == ("refused: at most 0.70 USD of flight:F1 can be credited now: refuse it, and ask anew")
    await corrects(desk, correct("F1", 70, revision=3))
    assert "at most 0.00 USD" in await desk.says("approve_note", await newest(desk), who="bob")
    await desk.says("refuse_note", await newest(desk), who="bob", why="cancelled")
    assert await desk.money() == {"student:anna": -50}
    assert "nothing is left of the bill" in await desk.says("credit_bill", "F1", why="w", amount=1)
    await corrects(desk, bill("F3", 80))
    await desk.says("write_off_bill", "F3", why="died")
    await corrects(desk, correct("F3", 80), correct("F3", -80, student="bert", revision=3))
    assert "at most 0.00 USD" in await desk.says("approve_note", await newest(desk), who="bob")
    assert await desk.money() == {"student:anna": -50, "student:bert": -80}


async def test_two_write_offs_of_one_rest_are_one(desk: Desk) -> None:
    """What is paid of a bill is not written off, however many ask for what is left."""
    await desk.records(50)
    assert "0.50 USD: it is posted" in await desk.says("write_off_bill", "F1", why="moved", amount=50)
    await corrects(desk, bill("F3", 100))
    await desk.records(110, number="R-2")  # all of F2, and 60 of F3
    assert "a second person" in await desk.says("write_off_bill", "F3", why="moved")
    again = await desk.says("write_off_bill", "F3", why="moved", amount=40)
    assert "at most 0.00 USD of flight:F3 can be written off" in again
    await desk.says("approve_note", await newest(desk), who="bob")
    assert await open_of(desk.db) == {}


async def test_a_bounced_cheque_costs_a_fee_and_comes_again_under_its_number(desk: Desk) -> None:
    cheque = {"method": "cheque", "number": "1044"}
    await desk.records(150, **cheque)
    id = await desk.id_of("1044")
    await desk.says("deposit_payments", "slip", deposited_on=TODAY.isoformat(), payments=[id])
    assert "fee of a bounced cheque of anna, 0.25 USD" in await desk.says("bounce_cheque", id, why="no funds")
    assert (await desk.money())["student:anna"] == -175
    assert (await desk.records(150, **cheque)).startswith("done")
    assert "recorded already" in await desk.records(150, **cheque)
    assert "reverted" in await desk.says("revert_note", await newest(desk), why="our mistake")
    assert (await desk.money())["student:anna"] == -150


async def test_a_revert_by_hand_names_the_command_that_belongs_there(desk: Desk, hobbs: Hobbs) -> None:
    await desk.records(120)
    source = f"recorded:{await desk.id_of('R-1')}"
    answer = await hobbs("revert", source, "--why", "a mistake", "--yes")
    assert answer.exit_code == 1
    assert "hobbs payments revert takes it back" in answer.stderr + answer.stdout
