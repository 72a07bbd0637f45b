"""Once the book has billed and two people have logins, a version of it is two people's."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID

import pytest
from sqlalchemy.exc import DBAPIError

from fleet.database import Database
from fleet.logins import add_login, remove_login
from fleet.vouches import vouch
from schemas.decisions import DecisionTaken
from services.billing.desk.decisions import ACTIONS
from services.billing.handlers import configure_school
from tests.conftest import OpenDatabase
from tests.integration.billing.given import completed, given_billed, given_school, rows
from tests.support.decisions import answered, decision
from tests.support.records import record

BEGINNING = {"effective_from": "1900-01-01"}
DEARER: dict[str, Any] = {
    "kind": "aircraft",
    "key": "N364MA",
    "new": {"model": "owned", "meter": "hobbs", "rate_per_hour": 90000},
} | BEGINNING
POLICY: dict[str, Any] = {
    "kind": "adjustments",
    "key": "adjustments",
    "new": {"approve_above": 10**6, "second_approver_above": 10**6},
} | BEGINNING
JOINS: dict[str, Any] = {"kind": "student", "key": "student-09", "new": {}} | BEGINNING
TEACHES: dict[str, Any] = {
    "kind": "instructor",
    "key": "instructor-09",
    "new": {"flight_per_hour": 900000, "ground_per_hour": 0},
} | BEGINNING


@dataclass(frozen=True, slots=True)
class Office:
    """One school's book, and people with logins: each URL logs in as one of them."""

    db: Database
    urls: dict[str, str]

    async def asks(
        self, login: str, *cards: dict[str, Any], base: int = 1, why: str = "fuel"
    ) -> DecisionTaken:
        told = {"base_version": base, "changes": list(cards)}
        asked = decision("billing", "change_book", "school", told, who="somebody", why=why)
        database = Database(self.urls[login], schema="billing_public", pool_size=1)
        try:
            async with database.transaction() as tx:
                await vouch(tx, UUID(asked.headers["ce_id"]), asked.value or b"")
        finally:
            await database.close()
        return await answered(self.db, ACTIONS, asked)

    async def version(self) -> int:
        return int((await rows(self.db, "SELECT version FROM book"))[0]["version"])


@pytest.fixture
async def office(database_url: str, open_db: OpenDatabase) -> AsyncIterator[Office]:
    """A book that has billed; ann is of finance, bob of repairs, olga of operations."""
    db, urls = open_db("billing"), dict[str, str]()
    await given_school(db)
    await given_billed(db, completed())
    names = {name: f"{name}_{secrets.token_hex(4)}" for name in ("ann", "bob", "olga")}
    for name, role in (("ann", "finance"), ("bob", "repairs"), ("olga", "operations")):
        password = await add_login(database_url, names[name], role)
        parts = urlsplit(database_url)
        login = f"person_{names[name]}:{password}@{parts.hostname}:{parts.port}"
        urls[name] = urlunsplit(parts._replace(netloc=login))
    yield Office(db, urls)
    for name in names.values():
        await remove_login(database_url, name)


@pytest.mark.parametrize("card", [DEARER, POLICY, TEACHES, JOINS | {"new": {"also_owner": "owner-01"}}])
async def test_one_person_changes_no_rate_and_no_policy(office: Office, card: dict[str, Any]) -> None:
    first = await office.asks("ann", card)
    assert (first.outcome, "within a day" in first.sentence) == ("done", True)
    again = await office.asks("ann", card)
    assert (again.outcome, "asked for this already" in again.sentence) == ("refused", True)
    assert (await office.asks("olga", card)).outcome == "refused", "operations decides about no book"
    assert await office.version() == 1
    second = await office.asks("bob", card, why="saw the offer")
    assert (second.outcome, second.effects[0]["version"]) == ("done", 2), second.sentence
    [made] = await rows(office.db, "SELECT who, why FROM school_version WHERE version = 2")
    assert made["who"].startswith("ann_")
    assert "fuel (agreed by bob_" in made["why"]
    assert (await office.asks("bob", card | {"new": None}, base=2)).effects == [
        {"waits_for": "a second person"}
    ]


async def test_who_asks_for_other_amounts_agrees_to_nothing(office: Office) -> None:
    await office.asks("ann", DEARER)
    other = DEARER | {"new": DEARER["new"] | {"rate_per_hour": 90001}}
    assert (await office.asks("bob", other)).effects == [{"waits_for": "a second person"}]
    assert await office.version() == 1


async def test_what_was_agreed_to_is_the_card_as_it_was_looked_at(office: Office) -> None:
    """The card became another one meanwhile: nobody has seen that difference."""
    await office.asks("ann", DEARER)
    for login in ("ann", "bob"):
        await office.asks(login, DEARER | {"new": DEARER["new"] | {"rate_per_hour": 17000}})
    assert await office.version() == 2
    assert (await office.asks("bob", DEARER, base=2)).effects == [{"waits_for": "a second person"}]


async def test_of_two_second_persons_at_once_one_agrees(office: Office) -> None:
    await office.asks("ann", DEARER)
    taken = await asyncio.gather(office.asks("bob", DEARER), office.asks("bob", DEARER))
    assert sorted(one.outcome for one in taken) == ["done", "refused"]
    assert await office.version() == 2


async def test_a_word_is_one_persons_for_a_day(office: Office) -> None:
    await office.asks("ann", DEARER)
    for forgery in (
        "UPDATE book_word SET agreed_by = upper(asked_by), agreed_at = now()",
        "UPDATE book_word SET asked_by = 'zoe'",
        "DELETE FROM book_word",
    ):
        with pytest.raises(DBAPIError):
            await rows(office.db, f"{forgery} RETURNING id")
    assert len(await rows(office.db, "SELECT id FROM book_word WHERE agreed_by IS NULL")) == 1


async def test_who_joins_the_school_is_one_persons(office: Office) -> None:
    owner: dict[str, Any] = {"kind": "owner", "key": "owner-09", "new": {}} | BEGINNING
    assert (await office.asks("ann", JOINS, owner)).effects[0]["version"] == 2
    left = await office.asks("ann", JOINS | {"new": None}, base=2)
    assert left.effects == [{"waits_for": "a second person"}]


async def test_a_version_is_published_as_it_is_decided_and_its_record_changes_nothing(office: Office) -> None:
    await office.asks("ann", JOINS)
    sent = await rows(office.db, "SELECT value, event_id FROM outbox WHERE topic = 'school.configured'")
    told = record(
        "school.configured", bytes(sent[-1]["value"]), ce_id=sent[-1]["event_id"], ce_source="hobbs/billing"
    )
    await configure_school(office.db, [told])
    assert await office.version() == 2
    assert await rows(office.db, "SELECT sentence FROM dead_letter") == []


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({}, "base_version"),
        ({"base_version": True, "changes": [JOINS]}, "base_version"),
        ({"base_version": 1, "changes": []}, "1 to 200 cards"),
        ({"base_version": 1, "changes": [JOINS] * 201}, "1 to 200 cards"),
        ({"base_version": 1, "changes": [JOINS, JOINS]}, "changed 2 times"),
        ({"base_version": 1, "changes": [JOINS | {"kind": "pilot"}]}, "changes.0.kind"),
        ({"base_version": 1, "changes": [DEARER | {"new": {"model": "owned"}}]}, "changes.0"),
        ({"base_version": 7, "changes": [JOINS]}, "the book is at version 1"),
    ],
)
async def test_what_is_no_version_is_refused_with_a_sentence(
    open_db: OpenDatabase, told: dict[str, Any], said: str
) -> None:
    db = open_db("billing")
    await given_school(db)
    taken = await answered(db, ACTIONS, decision("billing", "change_book", "school", told, why="fuel"))
    assert (taken.outcome, said in taken.sentence) == ("refused", True), taken.sentence


async def test_without_logins_of_two_people_and_before_the_first_bill_one_person_changes_the_book(
    database_url: str, open_db: OpenDatabase
) -> None:
    db = open_db("billing")
    await given_school(db)
    alone = Office(db, {"": database_url})
    assert (await alone.asks("", DEARER)).effects[0]["version"] == 2
    await given_billed(db, completed())
    assert (await alone.asks("", POLICY, base=2)).effects[0]["version"] == 3
