"""A person sets a student's limit: alone up to the amount of the book, else with a second one."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from fleet.database import Database
from fleet.zones import local_date
from schemas.decisions import DecisionTaken
from services.billing.desk.decisions import ACTIONS
from services.billing.domain.own_limits import InForce, OwnLimit, needs_second
from services.receivables.handlers import follow_book
from tests.conftest import OpenDatabase
from tests.integration.billing.given import given_school, rows
from tests.support.decisions import answered, decision
from tests.support.records import record

POLICY: dict[str, Any] = {"limit": 50_000, "allowed_by_one_up_to": 25_000}
STUDENT = "student-01"
STANDS = "SELECT credit_limit, frozen, until FROM receivables_public.credit_of(:day, 'student-01')"


class Office:
    """People who decide about limits; receivables follows the book when it is asked how a student stands."""

    def __init__(self, billing: Database, receivables: Database) -> None:
        self.billing, self.receivables = billing, receivables

    async def asks(
        self, action: str, about: str, told: dict[str, Any], *, who: str, why: str = "pays"
    ) -> Any:
        asked = decision("billing", action, about, told, who=who, why=why)
        return await answered(self.billing, ACTIONS, asked)

    async def sets(self, who: str = "paula", about: str = STUDENT, **told: Any) -> DecisionTaken:
        taken: DecisionTaken = await self.asks("set_limit", about, told, who=who)
        return taken

    async def stands(self) -> tuple[int | None, bool]:
        told = await rows(
            self.billing, "SELECT event_id, value FROM outbox WHERE topic = 'school.accepted' ORDER BY id"
        )
        events = [
            record("school.accepted", bytes(one["value"]), ce_id=one["event_id"], ce_source="hobbs/billing")
            for one in told
        ]
        await follow_book(self.receivables, events)
        [found] = await rows(self.receivables, STANDS, day=local_date(datetime.now(UTC), "America/New_York"))
        return found["credit_limit"], found["frozen"]


@pytest.fixture
async def office(open_db: OpenDatabase) -> Office:
    billing, receivables = open_db("billing"), open_db("receivables")
    await given_school(billing, {"kind": "credit", "key": "credit", "new": POLICY})
    office = Office(billing, receivables)
    assert await office.stands() == (50_000, False)
    return office


async def test_one_person_sets_a_limit_up_to_the_books_amount_and_it_stands_at_once(office: Office) -> None:
    taken = await office.sets(limit=75_000)
    assert taken.outcome == "done"
    assert "student-01 may owe at most 750.00 USD from today on" in taken.sentence
    assert taken.effects == [{"setting": "limit", "before": 50_000, "after": 75_000, "currency": "USD"}]
    assert await office.stands() == (75_000, False)
    [version] = await rows(office.billing, "SELECT who, why FROM school_version WHERE version = 2")
    assert version == {"who": "paula", "why": "pays"}
    assert (await office.sets(limit=75_000)).sentence == "the limit is this already"


async def test_a_larger_rise_waits_for_another_person(office: Office) -> None:
    taken = await office.sets(limit=75_001, until="2199-12-31")
    assert taken.outcome == "done"
    assert "once another person approves it" in taken.sentence
    assert await office.stands() == (50_000, False)
    assert "waits already" in (await office.sets(limit=90_000, who="ann")).sentence
    proposal = str(taken.decision_id)
    assert "somebody else" in (await office.asks("approve_rates", proposal, {}, who="Paula")).sentence
    assert (await office.asks("approve_rates", proposal, {}, who="bea")).outcome == "done"
    assert await office.stands() == (75_001, False)


async def test_a_frozen_student_is_let_fly_again_by_two_and_frozen_by_one(office: Office) -> None:
    assert (await office.sets(limit=50_000, frozen=True)).outcome == "done"
    assert (await office.stands())[1]
    taken = await office.sets(limit=50_000)
    assert "once another person approves it" in taken.sentence, "from nothing to 500.00"
    assert (await office.stands())[1]
    assert (await office.sets(limit=20_000)).outcome == "done", "so much one person may allow"
    assert await office.stands() == (20_000, False)
    said = (await office.asks("approve_rates", str(taken.decision_id), {}, who="bea")).sentence
    assert "propose it again" in said, "what it was made from is another card"


@pytest.mark.parametrize(
    ("about", "told", "said"),
    [
        ("student-99", {"limit": 1}, "neither the book nor a bill names"),
        (STUDENT, {"limit": -1}, "whole number"),
        (STUDENT, {"limit": True}, "whole number"),
        (STUDENT, {"limit": 1, "until": "soon"}, "a day"),
        (STUDENT, {"limit": 1, "until": "2001-01-01"}, "is over"),
        (STUDENT, {"limit": 1, "until": "2999-12-31"}, "between 1900 and 2200"),
        (STUDENT, {"limit": 1, "frozen": "yes"}, "true or false"),
        (STUDENT, {"limit": 10**18}, "would not take|at most|too large|less than"),
    ],
)
async def test_what_is_no_limit_is_refused_with_a_sentence(
    office: Office, about: str, told: dict[str, Any], said: str
) -> None:
    taken = await office.sets(about=about, **told)
    assert taken.outcome == "refused"
    assert any(part in taken.sentence for part in said.split("|")), taken.sentence
    assert await rows(office.billing, "SELECT id FROM rate_proposal") == []


async def test_no_reason_sets_no_limit(office: Office) -> None:
    taken = await office.asks("set_limit", STUDENT, {"limit": 1}, who="paula", why=" ")
    assert "say why" in taken.sentence


@pytest.mark.parametrize(
    ("asked", "now", "second"),
    [
        (OwnLimit(limit=30), InForce(limit=20, frozen=False), False),
        (OwnLimit(limit=31), InForce(limit=20, frozen=False), True),
        (OwnLimit(limit=0), InForce(limit=20, frozen=False), False),
        (OwnLimit(limit=None), InForce(limit=20, frozen=False), True),
        (OwnLimit(limit=None), InForce(limit=None, frozen=False), False),
        (OwnLimit(limit=99), InForce(limit=None, frozen=False), False),
        (OwnLimit(limit=None, frozen=True), InForce(limit=20, frozen=False), False),
        (OwnLimit(limit=None), InForce(limit=None, frozen=True), True),
        (OwnLimit(limit=10, until=date(2026, 1, 1)), InForce(limit=99, frozen=True), False),
    ],
)
def test_who_may_owe_more_than_one_person_may_allow_needs_a_second(
    asked: OwnLimit, now: InForce, second: bool
) -> None:
    assert needs_second(asked, now, by_one_up_to=10) is second
