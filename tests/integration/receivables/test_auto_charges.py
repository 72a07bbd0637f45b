"""Charges of saved methods: when one is decided, that a cause has one, and what follows a decline."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
import pytest

from fleet.database import Database
from fleet.envelope import Record
from schemas.charges import ChargeAnswered
from services.payouts.domain.student_links import StudentLink
from services.payouts.store import student_links
from services.receivables import handlers, steps
from services.receivables.desk.decisions import ACTIONS
from services.receivables.desk.reads import notes
from services.receivables.domain.auto_charges import request_id
from tests.conftest import OpenDatabase
from tests.integration.adjustments.stories import decide as decide_about
from tests.integration.adjustments.stories import given_policy, propose, revised
from tests.integration.billing.given import rows
from tests.integration.ops.conftest import Hobbs
from tests.integration.receivables.credits import a_school, owes
from tests.integration.receivables.stories import failed_intent, intent, webhook
from tests.integration.receivables.test_dispatches import HOUR, School, flown
from tests.integration.receivables.test_open_items import bill, posts, taken
from tests.support.decisions import answered, decision
from tests.support.records import record

CARD = {"id": "pm_1", "object": "payment_method", "type": "card", "customer": "cus_1"}
SETUP = {
    "id": "seti_1",
    "object": "setup_intent",
    "customer": "cus_1",
    "payment_method": "pm_1",
    "metadata": {"hobbs_student": "anna"},
}


@pytest.fixture
def ledger(open_db: OpenDatabase) -> Database:
    return open_db("ledger")


@pytest.fixture
async def anna(db: Database, ledger: Database) -> Database:
    """Anna saved a card, and lets it be charged once she owes 100.00."""
    await handlers.follow_book(db, [a_school()])
    card = CARD | {"card": {"exp_month": 12, "exp_year": 2090}}
    await handlers.take_stripe_events(db, [webhook("payment_method.attached", card)])
    await handlers.take_stripe_events(db, [webhook("setup_intent.succeeded", SETUP)])
    await allows(db, occasion="threshold", threshold=100_00)
    return db


async def allows(db: Database, **said: Any) -> None:
    ruling = await choose(db, **said)
    assert ruling.outcome == "done", ruling.sentence


async def choose(db: Database, **said: Any) -> Any:
    asked = decision("receivables", "choose_charges", "anna", {"most": 500_00, "most_a_day": 800_00} | said)
    return await answered(db, ACTIONS, asked)


async def due(db: Database, *, later: timedelta = timedelta()) -> None:
    async with db.transaction() as tx:
        await steps.auto_charges.decide_due(tx, "", 200, datetime.now(UTC) + later)


async def asked(db: Database) -> list[dict[str, Any]]:
    found = await rows(db, "SELECT value FROM outbox WHERE topic = 'charge.requested' ORDER BY id")
    return [orjson.loads(row["value"]) for row in found]


async def amounts(db: Database) -> list[tuple[str, int]]:
    return [(one["cause"], one["amount"]) for one in await asked(db)]


def answer(request: dict[str, Any], outcome: str, **more: Any) -> Record:
    known = {name: request[name] for name in ("request_id", "wallet", "currency", "amount", "cause")}
    made = {"payment_intent": "pi_9", "charge": "ch_9"} if outcome == "succeeded" else {}
    made |= {"payment_intent": "pi_9"} if outcome == "processing" else {}
    event = ChargeAnswered.model_validate(
        {**known, **made, "outcome": outcome, "sentence": "said", "answered_at": datetime.now(UTC), **more}
    )
    return record("charge.answered", event, key=event.wallet)


async def charges(db: Database) -> list[tuple[str, str, str | None]]:
    found = await rows(db, "SELECT cause, state, kind FROM auto_charge ORDER BY decided_at, cause")
    return [(row["cause"], row["state"], row["kind"]) for row in found]


async def test_what_is_owed_is_charged_once_a_threshold_is_reached(anna: Database, ledger: Database) -> None:
    await owes(ledger, 99_99)
    await due(anna)
    assert await asked(anna) == []
    await owes(ledger, 1, source="flight:F1:1")
    await due(anna)
    await due(anna)
    [request] = await asked(anna)
    assert (request["cause"], request["amount"], request["customer"]) == ("threshold:1", 100_00, "cus_1")
    assert request["request_id"] == str(request_id("anna", "threshold:1"))


async def test_processes_at_once_charge_once(anna: Database, ledger: Database) -> None:
    await owes(ledger, 150_00)
    await asyncio.gather(*(due(anna) for _ in range(8)))
    assert await amounts(anna) == [("threshold:1", 150_00)]


async def test_what_was_charged_is_a_card_payment_and_is_not_charged_again_before_the_ledger_has_it(
    anna: Database, ledger: Database
) -> None:
    await owes(ledger, 150_00)
    await due(anna)
    [request] = await asked(anna)
    await handlers.take_charge_answers(anna, [answer(request, "succeeded")])
    await due(anna, later=timedelta(hours=1))  # the ledger has not posted it yet
    assert len(await asked(anna)) == 1
    paid = intent("ch_9", amount=150_00, amount_received=150_00)
    await handlers.take_stripe_events(anna, [webhook("payment_intent.succeeded", paid)])
    journals = await rows(anna, "SELECT source, entries FROM posting")
    assert [row["source"] for row in journals] == ["charge:ch_9"]
    assert await charges(anna) == [("threshold:1", "succeeded", None)]


@pytest.mark.parametrize("most_a_day", [500_00, 800_00])
async def test_no_more_is_charged_than_was_allowed(anna: Database, ledger: Database, most_a_day: int) -> None:
    await allows(anna, occasion="threshold", threshold=100_00, most_a_day=most_a_day)
    await owes(ledger, 2_000_00)
    await due(anna)
    [request] = await asked(anna)
    await handlers.take_charge_answers(anna, [answer(request, "succeeded")])
    await due(anna)
    wanted = [("threshold:1", 500_00)] + ([("threshold:2", 300_00)] if most_a_day > 500_00 else [])
    assert await amounts(anna) == wanted


@pytest.mark.parametrize(
    ("code", "advice", "kind", "again"),
    [
        ("generic_decline", None, "later", True),
        ("insufficient_funds", "try_again_later", "later", True),
        ("expired_card", None, "another_card", False),
        ("bank_account_unusable", None, "another_card", False),
        ("payment_intent_mandate_invalid", None, "another_card", False),
        ("authentication_required", None, "authentication", False),
        ("lost_card", None, "stop", False),
        ("do_not_honor", "do_not_try_again", "stop", False),
        ("a_code_of_next_year", None, "later", True),
    ],
)
async def test_a_decline_is_tried_again_by_its_class(
    anna: Database, ledger: Database, code: str, advice: str | None, kind: str, again: bool
) -> None:
    await owes(ledger, 150_00)
    await due(anna)
    [request] = await asked(anna)
    await handlers.take_charge_answers(anna, [answer(request, "declined", code=code, advice=advice)])
    await due(anna, later=timedelta(minutes=59))
    assert len(await asked(anna)) == 1
    await due(anna, later=timedelta(days=9))
    causes = [cause for cause, _ in await amounts(anna)]
    if again:
        assert causes == ["threshold:1", "threshold:1#2"]
    elif kind == "authentication":  # the bank may let the next one pass
        assert causes == ["threshold:1", "threshold:2"]
    else:
        assert causes == ["threshold:1"]
    assert (await charges(anna))[0] == ("threshold:1", "declined", kind)


async def test_whoever_tells_the_student_finds_the_page_for_which_a_bank_asked(
    anna: Database, ledger: Database, open_db: OpenDatabase, hobbs: Hobbs
) -> None:
    shown = ("payments", "link", "anna", "--declined", "-o", "json")
    assert "no bank asked" in (await hobbs(*shown)).stderr
    await owes(ledger, 150_00)
    await due(anna)
    [request] = await asked(anna)
    told = answer(request, "declined", code="authentication_required")
    await handlers.take_charge_answers(anna, [told])
    page = StudentLink(
        id=UUID(request["request_id"]), wallet="student:anna", currency="USD", amount=150_00, customer=None
    )
    now, payouts = datetime.now(UTC), open_db("payouts")
    async with payouts.transaction() as tx:
        await student_links.request(tx, page, now)
        await student_links.answer(
            tx, page.id, now=now, url="https://pay", expires_at=now + timedelta(days=1)
        )
    assert orjson.loads((await hobbs(*shown)).stdout)["url"] == "https://pay"


async def test_a_method_is_tried_four_times_and_no_more(anna: Database, ledger: Database) -> None:
    await owes(ledger, 150_00)
    for day in range(0, 29, 4):
        await due(anna, later=timedelta(days=day))
        for request in (await asked(anna))[len(await charges_answered(anna)) :]:
            await handlers.take_charge_answers(anna, [answer(request, "declined", code="generic_decline")])
    assert len(await asked(anna)) == 4


async def charges_answered(db: Database) -> list[Any]:
    return await rows(db, "SELECT request_id FROM auto_charge WHERE state <> 'asked'")


async def test_another_card_ends_the_wait(anna: Database, ledger: Database) -> None:
    await owes(ledger, 150_00)
    await due(anna)
    [request] = await asked(anna)
    await handlers.take_charge_answers(anna, [answer(request, "declined", code="stolen_card")])
    setup = SETUP | {"id": "seti_2", "payment_method": "pm_2"}
    soon = datetime.now(UTC) + timedelta(minutes=1)
    await handlers.take_stripe_events(anna, [webhook("setup_intent.succeeded", setup, created_at=soon)])
    await due(anna, later=timedelta(minutes=2))
    assert [(one["cause"], one["payment_method"]) for one in await asked(anna)] == [
        ("threshold:1", "pm_1"),
        ("threshold:1#2", "pm_2"),
    ]


@pytest.mark.parametrize("paid", [True, False])
@pytest.mark.parametrize("early", [True, False])
async def test_a_bank_debit_ends_days_later(
    anna: Database, ledger: Database, paid: bool, early: bool
) -> None:
    """In whatever order payouts' answer and Stripe's webhook come."""
    await owes(ledger, 150_00)
    await due(anna)
    [request] = await asked(anna)
    thing = (
        intent("ch_9", amount=150_00, amount_received=150_00)
        if paid
        else failed_intent("ch_9", id="pi_9", amount=150_00)
    )
    told = webhook("payment_intent.succeeded" if paid else "payment_intent.payment_failed", thing)
    if early:
        await handlers.take_stripe_events(anna, [told])
    await handlers.take_charge_answers(anna, [answer(request, "processing")])
    if not early:
        assert await charges(anna) == [("threshold:1", "processing", None)]
        await handlers.take_stripe_events(anna, [told])
    assert await charges(anna) == [
        ("threshold:1", "succeeded", None) if paid else ("threshold:1", "declined", "later")
    ]


async def test_a_restored_database_takes_over_what_was_charged(anna: Database, ledger: Database) -> None:
    """It forgot that it decided: payouts' answer says so, and the cause is used."""
    await owes(ledger, 150_00)
    forgotten = {
        "request_id": str(request_id("anna", "threshold:1")),
        "wallet": "student:anna",
        "currency": "USD",
        "amount": 120_00,
        "cause": "threshold:1",
    }
    await handlers.take_charge_answers(anna, [answer(forgotten, "succeeded")])
    assert await charges(anna) == [("threshold:1", "succeeded", None)]
    await due(anna)
    assert await asked(anna) == []  # 30.00 are left: less than the threshold


@pytest.mark.parametrize(
    "said",
    [
        {"occasion": "sometimes"},
        {"occasion": "threshold"},
        {"occasion": "each_flight", "threshold": 5},
        {"occasion": "day", "day": 29},
        {"occasion": "each_flight", "most": 0},
        {"occasion": "each_flight", "most": "500"},
        {"occasion": "each_flight", "most": True},
        {"occasion": "each_flight", "most": 500, "most_a_day": 499},
    ],
)
async def test_a_choice_that_makes_no_sense_is_refused_with_a_sentence(db: Database, said: Any) -> None:
    await handlers.follow_book(db, [a_school()])
    ruling = await choose(db, **said)
    assert ruling.outcome == "refused"
    assert len(ruling.sentence) > 20


async def test_a_card_that_has_expired_is_not_charged(anna: Database, ledger: Database) -> None:
    card = CARD | {"card": {"exp_month": 5, "exp_year": 2025}}
    soon = datetime.now(UTC)
    await handlers.take_stripe_events(anna, [webhook("payment_method.updated", card, created_at=soon)])
    await owes(ledger, 150_00)
    await due(anna)
    assert await asked(anna) == []


async def test_a_card_that_was_removed_is_not_charged(anna: Database, ledger: Database) -> None:
    await handlers.take_stripe_events(anna, [webhook("payment_method.detached", CARD | {"customer": None})])
    await owes(ledger, 150_00)
    await due(anna)
    assert await asked(anna) == []


@pytest.mark.parametrize("ends", ["removed", "expired", "stopped"])
async def test_a_card_that_another_replaced_is_never_charged_again_by_itself(
    anna: Database, ledger: Database, ends: str
) -> None:
    soon = datetime.now(UTC) + timedelta(minutes=1)
    second = CARD | {"id": "pm_2"}
    setup = SETUP | {"id": "seti_2", "payment_method": "pm_2"}
    told = [webhook("setup_intent.succeeded", setup, created_at=soon)]
    if ends == "removed":
        told.append(webhook("payment_method.detached", second | {"customer": None}, created_at=soon))
    elif ends == "expired":
        card = second | {"card": {"exp_month": 5, "exp_year": 2025}}
        told.append(webhook("payment_method.attached", card, created_at=soon))
    await handlers.take_stripe_events(anna, told)
    await owes(ledger, 150_00)
    if ends == "stopped":
        await due(anna)
        [request] = await asked(anna)
        await handlers.take_charge_answers(anna, [answer(request, "declined", code="stolen_card")])
    before = await amounts(anna)
    await due(anna, later=timedelta(days=2))
    assert await amounts(anna) == before
    anew = SETUP | {"id": "seti_3"}  # the first card again, by the student's own word
    later = soon + timedelta(minutes=1)
    await handlers.take_stripe_events(anna, [webhook("setup_intent.succeeded", anew, created_at=later)])
    await due(anna, later=timedelta(days=2))
    assert (len(await asked(anna)), (await asked(anna))[-1]["payment_method"]) == (len(before) + 1, "pm_1")


async def test_nothing_is_charged_while_a_correction_of_a_flight_is_not_decided(
    anna: Database, ledger: Database, open_db: OpenDatabase
) -> None:
    """Whoever's flight was cancelled does not pay for it because the approval takes a day."""
    adjustments = open_db("adjustments")
    await given_policy(adjustments, approve_above=1)
    await propose(adjustments, revised())
    await owes(ledger, 150_00)
    await due(anna)
    assert await asked(anna) == []
    assert (await decide_about(adjustments, "reject", "F1:2", "ann")).outcome == "done"
    await due(anna)
    assert await amounts(anna) == [("threshold:1", 150_00)]


async def test_what_a_person_credited_is_not_charged_before_the_ledger_has_it(
    anna: Database, ledger: Database
) -> None:
    await taken(anna, await posts(ledger, bill("F1", 150_00)))
    note = decision("receivables", "credit_bill", "F1", {"amount": 60_00}, why="radio failed")
    assert (await answered(anna, ACTIONS, note)).outcome == "done"
    async with anna.transaction() as tx:
        [kept] = await notes.notes(tx)
    agreed = decision("receivables", "approve_note", str(kept["id"]), who="bob")
    assert (await answered(anna, ACTIONS, agreed)).outcome == "done"
    await due(anna)
    assert await asked(anna) == []  # 90.00 are owed
    await taken(anna, await posts(ledger, bill("F2", 30_00)))
    await due(anna)
    assert await amounts(anna) == [("threshold:1", 120_00)]


async def test_after_each_flight_what_is_owed_is_charged_once(anna: Database, open_db: OpenDatabase) -> None:
    school = School(open_db, anna)
    await school.say(flown("D1"))
    await allows(anna, occasion="each_flight")
    await due(anna)
    assert await asked(anna) == []  # it was flown before she allowed it
    await school.say(flown("D2"))
    await due(anna)
    [request] = await asked(anna)
    assert (request["cause"], request["amount"]) == ("flight:D2:1", 2 * HOUR)
    await handlers.take_charge_answers(anna, [answer(request, "succeeded")])
    await due(anna, later=timedelta(hours=2))
    assert len(await asked(anna)) == 1


async def test_on_a_day_of_the_month_what_is_owed_is_charged_once(anna: Database, ledger: Database) -> None:
    await allows(anna, occasion="day", day=1)
    await owes(ledger, 150_00)
    await due(anna, later=timedelta(days=40))
    await due(anna, later=timedelta(days=40))
    [request] = await asked(anna)
    assert request["cause"].startswith("day:20")
