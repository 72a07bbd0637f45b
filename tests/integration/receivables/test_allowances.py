"""A flight beyond the limit: who may allow it, what it lets through, and that nothing else goes through."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.exc import DBAPIError

from fleet.database import Database
from schemas.decisions import DecisionTaken
from services.billing.handlers import configure_school, estimate_flights
from services.receivables import handlers
from services.receivables.desk import reads
from services.receivables.desk.decisions import ACTIONS
from tests.conftest import OpenDatabase
from tests.integration.billing.given import configured, rows
from tests.integration.ops.conftest import Hobbs
from tests.integration.receivables.credits import a_school, book
from tests.integration.receivables.test_dispatches import HELD, School, dispatched
from tests.support.decisions import answered, decision


@pytest.fixture
async def school(db: Database, open_db: OpenDatabase) -> School:
    """A limit of 100.00, less than an hour; one person may allow 120.00 more."""
    await handlers.follow_book(db, [a_school(limit=10_000, allowed_by_one_up_to=12_000)])
    return School(open_db, db)


async def allow(
    db: Database, amount: int, *, flight: str = "D1", who: str = "ann", **said: Any
) -> DecisionTaken:
    until = (datetime.now(UTC) + timedelta(hours=24)).isoformat()
    told = {"student": "anna", "amount": amount, "until": until} | said
    asked = decision("receivables", "allow_flight", flight, told, who=who, why="pays on Friday")
    return await answered(db, ACTIONS, asked)


async def only_id(db: Database) -> str:
    async with db.transaction() as tx:
        [row] = await reads.allowances(tx, datetime.now(UTC))
    return str(row["id"])


async def test_an_allowed_flight_is_cleared_and_no_other(db: Database, school: School) -> None:
    await school.say(dispatched())
    assert (await allow(db, HELD - 10_000)).outcome == "done"
    await school.say(dispatched(revision=2))
    await school.say(dispatched("D2"))
    assert await school.answers() == [
        ("D1", 1, "limit_exceeded"),
        ("D1", 2, "cleared"),
        ("D2", 1, "limit_exceeded"),
    ]
    assert await rows(db, "SELECT allowed FROM dispatch WHERE state = 'cleared'") == [
        {"allowed": HELD - 10_000}
    ]


async def test_a_cent_too_little_clears_nothing(db: Database, school: School) -> None:
    await allow(db, HELD - 10_001)
    await school.say(dispatched())
    assert await school.answers() == [("D1", 1, "limit_exceeded")]


async def test_a_larger_amount_needs_a_second_person(db: Database, school: School) -> None:
    await allow(db, 12_001)
    await school.say(dispatched())
    assert await school.answers() == [("D1", 1, "limit_exceeded")]
    id = await only_id(db)
    own = await answered(db, ACTIONS, decision("receivables", "approve_allowance", id, who=" ANN"))
    assert (own.outcome, "another person" in own.sentence) == ("refused", True)
    other = await answered(db, ACTIONS, decision("receivables", "approve_allowance", id, who="bob"))
    assert other.outcome == "done"
    again = await answered(db, ACTIONS, decision("receivables", "approve_allowance", id, who="carl"))
    assert again.outcome == "refused"
    await school.say(dispatched(revision=2))
    assert (await school.answers())[-1] == ("D1", 2, "cleared")


async def test_no_large_allowance_is_made_of_small_ones(db: Database, school: School) -> None:
    await allow(db, 6_000)
    await allow(db, 6_001)
    stands = [row["stands"] for row in await listed(db)]
    assert sorted(stands) == ["in force", "waits"]


async def listed(db: Database) -> list[dict[str, Any]]:
    async with db.transaction() as tx:
        return await reads.allowances(tx, datetime.now(UTC), student="anna")


async def test_an_ended_allowance_lets_nothing_through_and_takes_nothing_back(
    db: Database, school: School
) -> None:
    await allow(db, 12_000)
    await school.say(dispatched())
    ended = decision("receivables", "close_allowance", await only_id(db), who="bob")
    assert (await answered(db, ACTIONS, ended)).outcome == "done"
    await school.say(dispatched(revision=2, hours="1.1"))
    assert await school.answers() == [("D1", 1, "cleared"), ("D1", 2, "limit_exceeded")]
    assert await school.pending() == HELD


async def test_a_frozen_student_is_not_allowed(db: Database, school: School) -> None:
    await handlers.follow_book(db, [book(2, ("credit_limit", "anna", "2026-01-01", {"frozen": True}))])
    await allow(db, 12_000)
    await school.say(dispatched())
    assert await school.answers() == [("D1", 1, "frozen")]


@pytest.mark.parametrize(
    "said",
    [
        {"student": "ana"},
        {"student": 7},
        {"amount": 0},
        {"amount": 1.5},
        {"amount": True},
        {"until": "tomorrow"},
        {"until": "2026-01-01T00:00:00Z"},
        {"until": "2999-01-01T00:00:00Z"},
        {"until": "2026-12-01T00:00:00"},
    ],
)
async def test_what_allows_nothing_is_refused_with_a_sentence(
    db: Database, school: School, said: dict[str, Any]
) -> None:
    answer = await allow(db, said.pop("amount", 5_000), **said)
    assert (answer.outcome, bool(answer.sentence)) == ("refused", True)
    assert await listed(db) == []


async def test_the_database_lets_nobody_approve_their_own(db: Database, school: School) -> None:
    await allow(db, 12_001)
    with pytest.raises(DBAPIError, match="a_second_person_approves"):
        async with db.transaction() as tx:
            await tx.execute("UPDATE credit_allowance SET approved_by = 'Ann ', approved_at = now()")


async def test_the_command_lists_allowances(db: Database, school: School, hobbs: Hobbs) -> None:
    await allow(db, 12_001)
    shown = await hobbs("credit", "allowances", "-o", "json")
    [row] = json.loads(shown.stdout)
    assert (row["flight_id"], row["amount"], row["stands"]) == ("D1", 12_001, "waits")
    wrong = await hobbs("credit", "allow", "D1", "anna", "--amount", "1.234", "--why", "x")
    assert wrong.exit_code == 2


async def test_dispatches_that_are_read_together_are_judged_each_by_its_own(
    db: Database, open_db: OpenDatabase, school: School
) -> None:
    people: list[dict[str, Any]] = [
        {"kind": "student", "key": name, "new": {}} for name in ("bo", "carl", "dee")
    ]
    await configure_school(open_db("billing"), [configured(2, people)])
    cards = ("bo", {"limit": HELD}), ("carl", {"limit": HELD, "frozen": True}), ("dee", {"limit": HELD - 1})
    await handlers.follow_book(db, [book(2, *(("credit_limit", who, "2026-01-01", c) for who, c in cards))])
    await allow(db, HELD - 10_000)
    flights = [dispatched(), dispatched("D2"), *(dispatched(f"D-{who}", student=who) for who, _ in cards)]
    await estimate_flights(open_db("billing"), flights)
    await handlers.take_estimates(db, await school._staged("billing"))
    await school.settle(["receivables"])
    assert {flight: answer for flight, _, answer in await school.answers()} == {
        "D1": "cleared",
        "D2": "limit_exceeded",
        "D-bo": "cleared",
        "D-carl": "frozen",
        "D-dee": "limit_exceeded",
    }
    cleared = "SELECT flight_id, held, allowed FROM dispatch WHERE state = 'cleared' ORDER BY flight_id"
    assert await rows(db, cleared) == [
        {"flight_id": "D-bo", "held": HELD, "allowed": 0},
        {"flight_id": "D1", "held": HELD, "allowed": HELD - 10_000},
    ]
