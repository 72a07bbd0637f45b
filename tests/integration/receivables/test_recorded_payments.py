"""Payments by hand: recorded once, counted by the book, deposited together, reverted and never edited."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy.exc import DBAPIError

from fleet.database import Database
from fleet.zones import local_date
from schemas.decisions import DecisionTaken
from services.receivables import handlers
from services.receivables.desk.decisions import ACTIONS
from services.receivables.desk.reads import recorded
from tests.conftest import OpenDatabase
from tests.integration.billing.given import rows
from tests.integration.ledger.books import balances
from tests.integration.receivables.credits import SCHOOL, a_school
from tests.integration.receivables.stories import staged
from tests.integration.receivables.test_open_items import bill, open_of, posts, posts_of, taken
from tests.support.decisions import answered, decision

TODAY = local_date(datetime.now(UTC), SCHOOL["time_zone"])


class Desk:
    """People beside one school's ledger; every journal that is asked for is posted and read."""

    def __init__(self, db: Database, ledger: Database) -> None:
        self.db, self.ledger = db, ledger

    async def says(self, action: str, about: str, *, who: str = "ann", why: str = "", **told: Any) -> str:
        """What the desk answers: the outcome, and its sentence."""
        answer = await self.asks(action, about, who=who, why=why, **told)
        return f"{answer.outcome}: {answer.sentence}"

    async def asks(
        self, action: str, about: str, *, who: str = "ann", why: str = "", **told: Any
    ) -> DecisionTaken:
        asked = decision("receivables", action, about, told, who=who, why=why)
        answer = await answered(self.db, ACTIONS, asked)
        await taken(self.db, await posts_of(self.ledger, self.db))
        return answer

    async def records(
        self, amount: int, *, method: str = "cash", number: str = "R-1", student: str = "anna", **told: Any
    ) -> str:
        said = {"method": method, "number": number, "paid_on": TODAY.isoformat(), "amount": amount, **told}
        who = str(said.pop("who", "ann"))
        return await self.says("record_payment", student, who=who, **said)

    async def id_of(self, number: str) -> str:
        """The newest payment of a number."""
        async with self.db.transaction() as tx:
            found = [one for one in await recorded.payments(tx) if one["number"] == number]
        return str(found[-1]["id"])

    async def money(self) -> dict[str, int]:
        """What each wallet holds, but for the school's own."""
        found = await balances(self.ledger)
        return {wallet: held for wallet, held in found.items() if held and wallet != "platform:school"}


@pytest.fixture
async def desk(db: Database, open_db: OpenDatabase) -> Desk:
    """Anna owes two flights, 100 and 50; one person may record 1,000 a day."""
    await handlers.follow_book(db, [a_school(recorded_by_one_up_to=1_000)])
    ledger = open_db("ledger")
    await taken(db, await posts(ledger, bill("F1", 100), bill("F2", 50)))
    return Desk(db, ledger)


async def test_cash_counts_at_once_and_goes_to_the_bank_with_its_deposit(desk: Desk) -> None:
    assert "counts as paid" in await desk.records(120)
    assert await desk.money() == {"student:anna": -30, "external:cash": -120}
    assert await open_of(desk.db) == {"flight:F2": -30}
    assert "counts as paid" in await desk.records(30, method="bank_transfer", number="TX-9")
    assert await desk.money() == {"external:cash": -120, "external:bank": -30}
    assert "holds 1 payments" in await desk.says(
        "deposit_payments", "slip 7", deposited_on=TODAY.isoformat(), payments=[]
    )
    assert await desk.money() == {"external:bank": -150}


async def test_a_number_is_recorded_once_and_a_reverted_one_again(desk: Desk) -> None:
    await desk.records(120)
    again = await desk.records(120)
    assert again.startswith("refused")
    assert "recorded already" in again
    assert (await desk.records(10, method="cheque")).startswith("done")  # another kind of number
    assert (await desk.says("revert_payment", await desk.id_of("R-1"))).startswith("refused")  # no reason
    cash = next(row["id"] for row in await all_of(desk) if row["method"] == "cash")
    assert "reverted" in await desk.says("revert_payment", str(cash), why="21, not 120")
    assert "was reverted" in await desk.says("revert_payment", str(cash), why="again")
    assert (await desk.records(21)).startswith("done")
    assert (await desk.money())["external:cash"] == -31
    assert await open_of(desk.db) == {"flight:F1": -79, "flight:F2": -50}


async def all_of(desk: Desk) -> list[dict[str, Any]]:
    async with desk.db.transaction() as tx:
        return await recorded.payments(tx)


async def test_two_at_once_record_a_number_once(desk: Desk) -> None:
    said = {"method": "cash", "number": "R-1", "paid_on": TODAY.isoformat(), "amount": 10}
    asked = [decision("receivables", "record_payment", "anna", said, who=who) for who in ("ann", "bob")]
    answers = await asyncio.gather(*(answered(desk.db, ACTIONS, one) for one in asked))
    assert sorted(one.outcome for one in answers) == ["done", "refused"]


async def test_a_cheque_counts_when_the_bank_cleared_it(desk: Desk) -> None:
    assert "once the bank cleared it" in await desk.records(150, method="cheque", number="1044")
    assert await desk.money() == {
        "student:anna": -150,
        "external:cash": -150,
        "liability:cheques": 150,
    }
    one = await desk.id_of("1044")
    assert "in no deposit" in await desk.says("clear_cheque", one)
    await desk.says("deposit_payments", "7", deposited_on=TODAY.isoformat())
    assert await open_of(desk.db) == {"flight:F1": -100, "flight:F2": -50}
    assert (await desk.says("clear_cheque", one)).startswith("done")
    assert "counts already" in await desk.says("clear_cheque", one)
    assert await desk.money() == {"external:bank": -150}
    assert await open_of(desk.db) == {}


@pytest.mark.parametrize("cheques_count", ["at_receipt", "when_cleared"])
async def test_a_cheque_that_bounces_is_owed_again_and_said(desk: Desk, cheques_count: str) -> None:
    policy = a_school(cheques_count=cheques_count)
    await handlers.follow_book(desk.db, [policy])
    await desk.records(150, method="cheque", number="1044")
    assert (await desk.money()).get("student:anna", 0) == (0 if cheques_count == "at_receipt" else -150)
    one = await desk.id_of("1044")
    await desk.says("deposit_payments", "7", deposited_on=TODAY.isoformat(), payments=[one])
    assert (await desk.says("bounce_cheque", one, why="no funds")).startswith("done")
    assert await desk.money() == {"student:anna": -150}
    assert await open_of(desk.db) == {"flight:F1": -100, "flight:F2": -50}
    [told] = [n for n in await staged(desk.db, "notification.requested") if n["kind"] == "cheque_bounced"]
    assert "1.50 USD" in told["sentence"]
    assert "bounced" in await desk.says("revert_payment", one, why="no")
    [slip] = await rows(desk.db, "SELECT id FROM deposit")
    assert "was at the bank" in await desk.says("revert_deposit", str(slip["id"]), why="no")


async def test_a_deposit_names_what_it_holds_and_is_taken_back_whole(desk: Desk) -> None:
    for number in ("1", "2", "3"):
        await desk.records(10, number=number)
    first, second = await desk.id_of("1"), await desk.id_of("2")
    held: dict[str, Any] = {"deposited_on": TODAY.isoformat(), "payments": [first, second]}
    shown = await desk.asks("deposit_payments", "7", **held)
    assert [e["amount"] for e in shown.effects] == [20, -20, 10, 10]
    assert "is in a deposit already" in await desk.says("deposit_payments", "8", **held)
    assert "recorded already" in await desk.says("deposit_payments", "7", **held)
    assert "revert that first" in await desk.says("revert_payment", first, why="a mistake")
    [slip] = await rows(desk.db, "SELECT id FROM deposit")
    assert "is reverted" in await desk.says("revert_deposit", str(slip["id"]), why="another slip")
    assert await desk.money() == {"student:anna": -120, "external:cash": -30}
    assert "reverted" in await desk.says("revert_payment", first, why="a mistake")
    assert "holds 2 payments, 0.20 USD" in await desk.says(
        "deposit_payments", "7", deposited_on=TODAY.isoformat(), payments=[]
    )
    async with desk.db.transaction() as tx:
        assert [h["what"] for h in await recorded.history(tx, first)] == [  # type: ignore[arg-type]
            *("recorded", "deposited", "taken_out", "reverted")
        ]
        assert len(await recorded.deposits(tx)) == 2


async def test_above_the_amount_a_second_person_agrees(desk: Desk) -> None:
    assert (await desk.records(600, number="1")).startswith("done")
    before = await desk.money()
    assert "a second person" in await desk.records(401, number="2")  # no large payment is made of small ones
    assert await desk.money() == before
    one = await desk.id_of("2")
    assert "another person" in await desk.says("approve_payment", one, who=" ANN")
    assert "waits for a second" in await desk.says(
        "deposit_payments", "7", deposited_on=TODAY.isoformat(), payments=[one]
    )
    assert (await desk.says("approve_payment", one, who="bob")).startswith("done")
    assert (await desk.says("approve_payment", one, who="carl")).startswith("refused")
    assert (await desk.money())["external:cash"] == -1_001


@pytest.mark.parametrize(
    ("told", "sentence"),
    [
        ({"student": "ana"}, "did you mean 'anna'"),
        ({"method": "gold"}, "cash, cheque, bank_transfer"),
        ({"number": ""}, "number"),
        ({"number": "1 "}, "ends with a blank"),
        ({"amount": 0}, "above zero"),
        ({"amount": 1.5}, "above zero"),
        ({"paid_on": "2999-01-01"}, "not after today"),
        ({"paid_on": "1999-01-01"}, "within 366 days"),
        ({"paid_on": None}, "paid_on"),
    ],
)
async def test_what_is_no_payment_is_refused(desk: Desk, told: dict[str, Any], sentence: str) -> None:
    before = await desk.money()
    answer = await desk.records(**{"amount": 120, **told})
    assert answer.startswith("refused")
    assert sentence in answer
    assert await desk.money() == before
    for action in ("approve_payment", "clear_cheque", "bounce_cheque", "revert_payment", "revert_deposit"):
        for about in ("x", "01890a5d-ac96-774b-bcce-b302099a8057"):
            assert (await desk.says(action, about, why="a test")).startswith("refused: no ")


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ("UPDATE recorded_payment SET amount = 1", "permission denied"),
        ("UPDATE recorded_payment SET state = 'waits'", "does not become"),
        ("UPDATE recorded_payment SET state = 'bounced'", "only_cheques_bounce"),
        ("DELETE FROM recorded_change", "permission denied"),
        ("UPDATE deposited_payment SET amount = 1", "permission denied"),
    ],
)
async def test_the_database_keeps_what_was_recorded(desk: Desk, change: str, rule: str) -> None:
    await desk.records(10)
    with pytest.raises(DBAPIError, match=rule):
        async with desk.db.transaction() as tx:
            await tx.execute(change)


async def test_a_payment_pays_the_bill_that_it_names_first(desk: Desk) -> None:
    assert "pays flight:F2 first" in await desk.records(60, bill="F2")
    assert await open_of(desk.db) == {"flight:F1": -90}
    one = await desk.id_of("R-1")
    again = await desk.asks("name_bill", one, why="the older one", bill=None)
    assert (again.outcome, [(e["document"], e["open"]) for e in again.effects]) == (
        "done",
        [("flight:F1", -40), ("flight:F2", -50)],
    )
    assert "pays flight:F2" in await desk.says("name_bill", f"recorded:{one}", why="May", bill="flight:F2")
    assert await open_of(desk.db) == {"flight:F1": -90}
    await desk.says("revert_payment", one, why="a mistake")  # whatever it named is open again
    assert await open_of(desk.db) == {"flight:F1": -100, "flight:F2": -50}


@pytest.mark.parametrize(
    ("bill_named", "sentence"),
    [("F1", "is paid already"), ("F9", "is a bill of ben, not of anna"), ("F8", "nobody was billed for F8")],
)
async def test_a_bill_that_cannot_be_paid_is_said_and_the_money_stays(
    desk: Desk, bill_named: str, sentence: str
) -> None:
    await taken(desk.db, await posts(desk.ledger, bill("F9", 70, student="ben")))
    await desk.records(100)
    answer = await desk.records(80, number="R-2", bill=bill_named)
    assert answer.startswith("done")
    assert sentence in answer
    assert await open_of(desk.db) == {f"recorded:{await desk.id_of('R-2')}": 30}
    refused = await desk.says("name_bill", await desk.id_of("R-2"), why="a test", bill=bill_named)
    assert refused.startswith("refused")
    assert sentence in refused
    assert "no payment ch_9" in await desk.says("name_bill", "ch_9", why="a test", bill="F1")
