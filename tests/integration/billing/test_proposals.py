"""Rates are changed by two people: one proposes, another approves, and the book gets one version."""

import asyncio
from typing import Any

import orjson
import pytest
from sqlalchemy.exc import DBAPIError

from fleet.database import Database
from schemas.decisions import DecisionTaken
from schemas.school import SchoolConfigured
from services.billing.desk.decisions import ACTIONS
from services.billing.handlers import configure_school
from tests.conftest import OpenDatabase
from tests.integration.billing.given import completed, given_billed, given_school, rows
from tests.support.decisions import answered, decision
from tests.support.records import record

CARD = "aircraft/N364MA"
CHARGES = "SELECT flight_id, charge FROM bill ORDER BY flight_id"
DEARER: dict[str, Any] = {"effective_from": "2026-05-22", "amounts": {"rate_per_hour": 17500}}


class Office:
    """People who decide about one school's book."""

    def __init__(self, db: Database) -> None:
        self.db = db

    async def asks(
        self, action: str, about: str, told: dict[str, Any], *, who: str, why: str = "fuel"
    ) -> Any:
        asked = decision("billing", action, about, told, who=who, why=why)
        return await answered(self.db, ACTIONS, asked)

    async def proposes(self, told: dict[str, Any] = DEARER, *, who: str = "paula") -> DecisionTaken:
        taken: DecisionTaken = await self.asks("propose_rates", CARD, told, who=who)
        return taken

    async def decides(self, action: str, proposal: DecisionTaken, *, who: str) -> str:
        taken = await self.asks(action, str(proposal.decision_id), {}, who=who)
        return f"{taken.outcome}: {taken.sentence}"


@pytest.fixture
async def office(open_db: OpenDatabase) -> Office:
    db = open_db("billing")
    await given_school(db)
    return Office(db)


async def test_what_another_approves_prices_the_flights_from_its_day_on(office: Office) -> None:
    await given_billed(office.db, completed())
    proposal = await office.proposes()
    assert proposal.outcome == "done"
    assert "another person" in proposal.sentence
    assert proposal.effects == [
        {"setting": "rate_per_hour", "before": 16500, "after": 17500, "currency": "USD"}
    ]
    await given_billed(office.db, completed(flight_id="F124"))
    assert "somebody else" in await office.decides("approve_rates", proposal, who="Paula")
    assert "version 2 of the book" in await office.decides("approve_rates", proposal, who="bea")
    await given_billed(office.db, completed(flight_id="F125"), completed(flight_id="F126", date="2026-05-21"))
    charges = {row["flight_id"]: row["charge"] for row in await rows(office.db, CHARGES)}
    assert charges["F124"] == charges["F123"], "it waited"
    assert charges["F125"] == charges["F123"] + 1373, "1.3 h at 10.00 more, and 5.6 % tax"
    assert (await office.decides("approve_rates", proposal, who="ann")).startswith("refused")


async def test_the_version_is_published_and_its_record_changes_nothing_here(office: Office) -> None:
    proposal = await office.proposes()
    await office.decides("approve_rates", proposal, who="bea")
    sent = await rows(
        office.db, "SELECT topic, event_id, value FROM outbox WHERE topic LIKE 'school.%' ORDER BY id"
    )
    configured = [row for row in sent if row["topic"] == "school.configured"]
    assert [row["topic"] for row in sent if row["topic"] == "school.accepted"]
    event = SchoolConfigured.model_validate(orjson.loads(configured[-1]["value"]))
    assert (event.version, event.base_version, event.who) == (2, 1, "paula")
    assert event.why == "fuel (approved by bea: fuel)"
    again = record(
        "school.configured",
        bytes(configured[-1]["value"]),
        ce_id=configured[-1]["event_id"],
        ce_source="hobbs/billing",
    )
    await configure_school(office.db, [again])
    assert (await rows(office.db, "SELECT version FROM book"))[0]["version"] == 2
    assert await rows(office.db, "SELECT sentence FROM dead_letter") == []


async def test_one_waits_for_a_card_and_a_rejected_one_may_be_proposed_again(office: Office) -> None:
    first, second = await asyncio.gather(office.proposes(), office.proposes(who="ann"))
    assert sorted((first.outcome, second.outcome)) == ["done", "refused"]
    waits = first if first.outcome == "done" else second
    assert (await office.decides("reject_rates", waits, who="paula")).startswith("done")
    assert (await office.decides("approve_rates", waits, who="bea")).startswith("refused")
    assert (await office.proposes()).outcome == "done"
    assert (await rows(office.db, "SELECT version FROM book"))[0]["version"] == 1


async def test_a_proposal_is_void_once_its_card_is_another(office: Office) -> None:
    proposal = await office.proposes()
    other = await office.proposes(DEARER | {"effective_from": "2026-05-20"})
    await office.decides("approve_rates", other, who="bea")
    assert "propose it again" in await office.decides("approve_rates", proposal, who="bea")


@pytest.mark.parametrize(
    ("about", "told", "said"),
    [
        ("school/school", DEARER, "the kinds are"),
        (CARD, DEARER | {"effective_from": "soon"}, "from which day"),
        (CARD, DEARER | {"amounts": {"bundle_per_hour": 1}}, "no amount"),
        (CARD, DEARER | {"amounts": {"rate_per_hour": 10**15}}, "would not take"),
        ("aircraft/N0", DEARER, "no such card"),
    ],
)
async def test_what_the_book_would_not_take_is_refused_when_it_is_proposed(
    office: Office, about: str, told: dict[str, Any], said: str
) -> None:
    taken = await office.asks("propose_rates", about, told, who="paula")
    assert taken.outcome == "refused"
    assert said in taken.sentence


async def test_the_database_refuses_a_maker_who_approves(office: Office) -> None:
    await office.proposes()
    async with office.db.transaction() as tx:
        with pytest.raises(DBAPIError, match="rates_are_approved_by_another"):
            await tx.execute(
                "UPDATE rate_proposal SET state = 'approved', decided_by = 'PAULA', decided_at = now(),"
                " version = 2"
            )
