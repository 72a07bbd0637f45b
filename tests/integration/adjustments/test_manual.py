"""A flight that other software billed is corrected by amounts by hand, which another person approves."""

from typing import Any

import pytest
from sqlalchemy.exc import DBAPIError

from fleet.database import Database
from schemas.decisions import DecisionTaken
from services.adjustments.desk.manual import ACTIONS
from tests.conftest import OpenDatabase
from tests.integration.adjustments.stories import answer_ledger, decide, differences, states
from tests.integration.billing.given import completed, given_billed, given_school
from tests.support.decisions import answered, decision

STUDENT, INES = "student:gone-01", "instructor:ines"


@pytest.fixture
async def imported(db: Database, open_db: OpenDatabase) -> Database:
    """One flight of the old software's, F1, and one of ours, F2; the policy asks for nobody."""
    billing = open_db("billing")
    await given_school(billing)
    await given_billed(billing, completed(flight_id="F1", billed_by="Old Planner", student="gone-01"))
    await given_billed(billing, completed(flight_id="F2", ce_id="ours"))
    return db


async def amend(
    db: Database, amounts: Any, *, flight: str = "F1", who: str = "ann", why: str = "the log says 1.3"
) -> DecisionTaken:
    asked = decision("adjustments", "amend", flight, {"amounts": amounts}, who=who, why=why)
    return await answered(db, ACTIONS, asked)


async def test_it_waits_for_another_person_however_small_it_is(imported: Database) -> None:
    made = await amend(imported, {STUDENT: -150, INES: 100})
    assert (made.outcome, await states(imported)) == ("done", {"F1:2": "waiting"})
    assert (await decide(imported, "approve", "F1:2", "ann")).outcome == "refused"
    assert (await decide(imported, "approve", "F1:2", "ben")).outcome == "done"
    assert await answer_ledger(imported) == ["adjustment:F1:2"]
    assert await differences(imported, "F1:2") == {STUDENT: -150, INES: 100, "platform:school": 50}


async def test_the_next_amount_is_beside_what_was_posted_and_instead_of_what_waits(
    imported: Database,
) -> None:
    await amend(imported, {STUDENT: -150})
    await decide(imported, "approve", "F1:2", "ben")
    assert (await amend(imported, {STUDENT: 20})).outcome == "refused", "the first is under way"
    await answer_ledger(imported)
    await amend(imported, {STUDENT: -900})
    made = await amend(imported, {STUDENT: 50})
    assert "F1:3 is superseded" in made.sentence
    await decide(imported, "approve", "F1:4", "ben")
    await answer_ledger(imported)
    assert await differences(imported, "F1:4") == {STUDENT: 50, "platform:school": -50}
    assert (await states(imported))["F1:3"] == "superseded"


@pytest.mark.parametrize(
    "told",
    [
        {"flight": "F2"},
        {"flight": "F9"},
        {"amounts": {}},
        {"amounts": [1]},
        {"amounts": {"student:student-01": 100}},
        {"amounts": {"platform:school": 100}},
        {"amounts": {STUDENT: 0}},
        {"amounts": {STUDENT: 1.5}},
        {"amounts": {STUDENT: True}},
        {"why": " "},
    ],
)
async def test_what_is_no_amount_of_an_imported_flight_is_refused(
    imported: Database, told: dict[str, Any]
) -> None:
    assert (await amend(imported, **{"amounts": {STUDENT: 100}, **told})).outcome == "refused"
    assert await states(imported) == {}


async def test_the_database_lets_none_go_without_a_person(imported: Database) -> None:
    await amend(imported, {STUDENT: 100})
    with pytest.raises(DBAPIError, match="amount_by_hand_needs_approval"):
        async with imported.transaction() as tx:
            await tx.execute("UPDATE adjustment SET approvals_needed = 0, needs = '{}'")
