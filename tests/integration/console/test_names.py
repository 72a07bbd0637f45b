"""People stand by their names on every page; who was erased stands by the id, and what they wrote is gone."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest

from console.erasing import erase
from console.store import questions
from fleet.decisions import Decision, Person
from fleet.envelope import uuid7
from schemas.contacts import ContactChanged
from services.billing.handlers import configure_school
from services.payouts.handlers import know_people
from tests.conftest import OpenDatabase
from tests.integration.billing.given import CHANGES, configured
from tests.integration.console.conftest import LINK_SECRET, Desk
from tests.support.payouts import SETTINGS
from tests.support.records import record


async def state(open_db: OpenDatabase, wallet: str, name: str) -> None:
    event = ContactChanged(wallet=wallet, full_name=name, stated_at=datetime.now(UTC))
    sent = record("contact.changed", event, key=wallet)
    await know_people(open_db("payouts"), [sent], accounts=SETTINGS.accounts)


def asked(wallet: str) -> Decision:
    return Decision(
        decision_id=uuid7(),
        action="erase",
        object=wallet,
        parameters={},
        who=Person(name="ann", roles=frozenset({"operator"}), channel="test"),
        why="by letter",
        dry_run=False,
        requested_at=datetime.now(UTC),
    )


@pytest.fixture
async def school(open_db: OpenDatabase) -> None:
    await configure_school(open_db("billing"), [configured(1, CHANGES)])
    await state(open_db, "instructor:instructor-01", "Robin Shown")
    await state(open_db, "aircraft_owner:owner-01", "Olive Owner")


async def test_a_name_is_on_the_pages_and_the_id_once_it_was_erased(
    desk: Desk, open_db: OpenDatabase, school: None
) -> None:
    visitor, question = await desk.browser("ann"), uuid4()
    async with open_db("console").transaction() as tx:
        await questions.ask(
            tx, question, person="instructor-01", wallet="instructor:instructor-01", about="F1", words="Why?"
        )
    page = (await visitor.get(f"/questions/{question}")).text
    assert "Question of Robin Shown" in page
    async with open_db("payouts").transaction() as tx:
        await tx.execute("UPDATE contact SET full_name = NULL, erased_at = now() WHERE wallet LIKE 'instr%'")
    desk.console._school = None  # it is read again after half a minute
    page = (await visitor.get(f"/questions/{question}")).text
    assert "Robin Shown" not in page
    assert "Question of instructor:instructor-01" in page


async def test_whoever_signs_in_on_this_machine_is_listed_by_name(desk: Desk, school: None) -> None:
    page = (await desk.opened().get("/login/local", params={"key": LINK_SECRET})).text
    assert "Olive Owner" in page
    assert "student-01" in page


async def test_a_reason_that_names_somebody_is_refused_with_the_id(desk: Desk, school: None) -> None:
    visitor = await desk.browser("otto")
    form = {
        "act": "release",
        "object": str(uuid4()),
        "why": "Robin Shown rang",
        "form_token": await visitor.token(),
    }
    answer = await visitor.post("/acts", data=form)
    assert answer.status_code == 422
    assert "it names instructor:instructor-01" in answer.text


async def test_what_a_person_wrote_and_how_they_were_signed_in_is_erased(
    desk: Desk, open_db: OpenDatabase, school: None
) -> None:
    await desk.browser("instructor-01")
    db, wallet = open_db("console"), "instructor:instructor-01"
    async with db.transaction() as tx:
        await tx.execute(
            "INSERT INTO question (id, person, wallet, about, words, answered_at, answered_by, answer) VALUES"
            " (:id, 'instructor-01', :wallet, 'F1', 'I am Robin Shown', now(), 'ada', 'Dear Robin')",
            id=uuid4(),
            wallet=wallet,
        )
    async with db.transaction() as tx:
        first = await erase(tx, asked(wallet), datetime.now(UTC))
        again = await erase(tx, asked(wallet), datetime.now(UTC))
        [question] = await tx.all("SELECT words, answer, about FROM question")
        sessions = await tx.all("SELECT person FROM session WHERE wallet = :wallet", wallet=wallet)
    assert first.sentence == f"the words of 1 questions and 1 sessions of {wallet} erased"
    assert again.sentence == f"the words of 0 questions and 0 sessions of {wallet} erased"
    assert tuple(question) == ("(erased)", "(erased)", "F1")
    assert sessions == []
